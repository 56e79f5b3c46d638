// Invitations to projects: what a link leads to, and those that wait for an answer.

import {useAction} from "../action.js";
import {call, get, post} from "../api.js";
import {Act} from "../parts/button.jsx";
import {Heading} from "../parts/heading.jsx";
import {Link} from "../parts/link.jsx";
import {useResource} from "../resource.js";
import {navigate} from "../router.js";

/** The token of such a link, or null. @param {string} fragment */
export function joining(fragment) {
	return /^\/join\/([A-Za-z0-9_-]{43})$/.exec(fragment)?.[1] ?? null;
}

/** @param {{token: string}} props */
export function Join({token}) {
	const accept = useAction(async () => {
		const {projectId} = await post("/api/invitations/accept", {token});
		// The link is used up: it is not to stay in the browser's history.
		navigate(`/projects/${projectId}`, {replace: true});
	});
	return (
		<section class="narrow">
			<Heading title="Join a project" at="join"/>
			<p>This link invites you to a project. Accepting uses it up, and shows your name to the project's members.</p>
			<p class="actions"><Act action={accept}>Join the project</Act> <Link to="/projects">Not now</Link></p>
		</section>
	);
}

/** @typedef {{id: string, role: string, project: string, owner: string}} Invited */

/** What waits for an answer, above the projects. @param {{reload: () => Promise<void>}} props */
export function Invitations({reload}) {
	const list = useResource(() => /** @type {Promise<{items: Invited[]}>} */ (get("/api/invitations")));
	const answered = () => Promise.all([list.reload(), reload()]);
	return list.data && list.data.items.length > 0 && (
		<ul class="invitations" aria-label="Invitations">
			{list.data.items.map((one) => <Asked key={one.id} invitation={one} answered={answered}/>)}
		</ul>
	);
}

/** @param {{invitation: Invited, answered: () => Promise<any>}} props */
function Asked({invitation: {id, role, project, owner}, answered}) {
	const accept = useAction(async () => {
		await post(`/api/invitations/${id}/accept`);
		await answered();
	});
	const decline = useAction(async () => {
		await call("DELETE", `/api/invitations/${id}`);
		await answered();
	});
	return (
		<li>
			<p><bdi>{owner}</bdi> invites you to <bdi>{project}</bdi>, as {role === "editor" ? "an editor" : "a viewer"}.</p>
			<p class="actions">
				<Act action={accept} label={`Accept the invitation to ${project} of ${owner}`}>Accept</Act>{" "}
				<Act action={decline} label={`Decline the invitation to ${project} of ${owner}`}>Decline</Act>
			</p>
		</li>
	);
}
