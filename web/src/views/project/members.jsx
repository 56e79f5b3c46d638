import {useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {call, get, post} from "../../api.js";
import {ask} from "../../parts/ask.jsx";
import {Act, Copy} from "../../parts/button.jsx";
import {Field, Form} from "../../parts/form.jsx";
import {Reading} from "../../parts/reading.jsx";
import {MEANINGS, may} from "../../parts/role.js";
import {Time} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";
import {navigate} from "../../router.js";

const RESTARTS = "Sandboxes whose tokens could be known restart with others: files stay, and what runs in them ends.";

/** Who else has a part in the project. @param {{project: Project}} props */
export function Members({project}) {
	const path = `/api/projects/${project.id}`;
	const list = useResource(() => /** @type {Promise<MemberList>} */ (get(`${path}/members`)), {deps: [path]});
	const manages = may(project, "owner");
	return (
		<section>
			<h2>Members</h2>
			<Reading of={list}>
				{({items, invitations}) => (
					<>
						<table>
							<caption class="unseen">Members of the project</caption>
							<tbody>
								{items.map((one) => <Row key={one.id} path={path} member={one} manages={manages} reload={list.reload}/>)}
								{invitations.map((one) => <Waiting key={one.id} path={path} invitation={one} reload={list.reload}/>)}
							</tbody>
						</table>
						{manages ? <Invite path={path} reload={list.reload}/> : <Leave path={path} name={project.name}/>}
					</>
				)}
			</Reading>
		</section>
	);
}

/** @param {{path: string, member: Member, manages: boolean, reload: () => Promise<void>}} props */
function Row({path, member: {id, name, role, addedAt}, manages, reload}) {
	const other = role === "editor" ? "viewer" : "editor";
	const change = useAction(async () => {
		if (role === "editor" && !await ask({text: `Make ${name} a viewer? ${RESTARTS}`, yes: "Make them a viewer"}))
			return false;
		await call("PATCH", `${path}/members/${id}`, {role: other});
		await reload();
	});
	const remove = useAction(async () => {
		if (!await ask({text: `Remove ${name} from this project? ${RESTARTS}`, yes: "Remove them"}))
			return false;
		await call("DELETE", `${path}/members/${id}`);
		await reload();
	});
	return (
		<tr>
			<td><bdi>{name}</bdi></td>
			<td>{role}</td>
			<td>since <Time at={addedAt}/></td>
			<td>
				{manages && role !== "owner" && (
					<>
						<Act action={change} label={`Make ${name} ${other === "editor" ? "an editor" : "a viewer"}`}>
							Make {other === "editor" ? "an editor" : "a viewer"}
						</Act>{" "}
						<Act action={remove} label={`Remove ${name}`}>Remove</Act>
					</>
				)}
			</td>
		</tr>
	);
}

/** @param {{path: string, invitation: ProjectInvitation, reload: () => Promise<void>}} props */
function Waiting({path, invitation: {id, name, role, createdAt, expiresAt}, reload}) {
	const withdraw = useAction(async () => {
		await call("DELETE", `${path}/invitations/${id}`);
		await reload();
	});
	return (
		<tr>
			<td>{name === null ? <>Whoever has the link made <Time at={createdAt}/></> : <bdi>{name}</bdi>}</td>
			<td>{role}, invited</td>
			<td>until <Time at={expiresAt}/></td>
			<td><Act action={withdraw} label={`Withdraw the invitation of ${name ?? id}`}>Withdraw</Act></td>
		</tr>
	);
}

/** @param {{path: string, reload: () => Promise<void>}} props */
function Invite({path, reload}) {
	const [link, setLink] = useState(/** @type {string | null} */ (null));
	const invite = async (/** @type {Record<string, string>} */ {name, role}, /** @type {HTMLFormElement} */ form) => {
		const made = await post(`${path}/invitations`, name.trim() === "" ? {role} : {role, name: name.trim()});
		setLink(made.link);
		form.reset();
		await reload();
	};
	return (
		<>
			<h3>Invite somebody</h3>
			{link && <p class="made" role="status">Copy it now, it is not shown again, and works once: <code>{link}</code> <Copy text={link} what="the link"/></p>}
			<Form label="Invite" submit={invite}>
				<Field label="Their name on this site" name="name" maxLength={256} autocomplete="off"
					hint="They accept on their page of projects. Without a name you get a link for one person. Both last seven days."/>
				<label>
					<span>As</span>
					<select name="role">{MEANINGS.map(([role, words]) => <option key={role} value={role}>{words}</option>)}</select>
				</label>
			</Form>
		</>
	);
}

/** @param {{path: string, name: string}} props */
function Leave({path, name}) {
	const leave = useAction(async () => {
		if (!await ask({text: `Leave ${name}? Its owner can invite you again. ${RESTARTS}`, yes: "Leave"}))
			return false;
		await call("DELETE", `${path}/membership`);
		navigate("/projects", {replace: true}); // Back does not lead to what is gone
	});
	return <p class="actions"><Act action={leave}>Leave this project</Act></p>;
}
