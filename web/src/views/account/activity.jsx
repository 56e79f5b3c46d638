import {useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {get} from "../../api.js";
import {Act} from "../../parts/button.jsx";
import {Reading} from "../../parts/reading.jsx";
import {Time} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";

/** What the audit's actions are in words; tests/docs compares them with the routes. */
const WORDS = /** @type {Record<string, string>} */ ({
	"session.create": "Logged in", "session.delete": "Logged out", "login.refused": "A login was refused",
	"invitation.accept": "Accepted an invitation", "password.change": "Changed the password", "password.refused": "A change of the password was refused",
	"identity.bind": "Added a way to log in", "identity.unbind": "Removed a way to log in",
	"identity.primary": "Changed the primary way to log in",
	"token.create": "Made an API token", "token.delete": "Withdrew an API token", "sandbox.token": "Opened a sandbox",
	"device.answer": "Answered a program that asked to act for you",
	"project.create": "Created a project", "project.change": "Changed a project", "project.delete": "Deleted a project",
	"project.restore": "Brought a project back from the trash", "project.lifetime": "Changed when a project ends",
	"project.keep": "Changed how long an idle project is kept running", "project.idle": "Changed when an idle project stops",
	"project.start": "Started a project", "project.stop": "Stopped a project", "project.restart": "Restarted a project",
	"sandbox.create": "Created a sandbox", "sandbox.change": "Changed a sandbox",
	"sandbox.start": "Started a sandbox", "sandbox.stop": "Stopped a sandbox",
	"sandbox.wake": "A visit to its address started a sandbox", "sandbox.restart": "Restarted a sandbox", "sandbox.terminate": "Deleted a sandbox",
	"port.open": "Opened a port of a sandbox", "port.close": "Closed a port of a sandbox", "port.link": "Made a link to a port of a sandbox", "port.visit": "Visited a private port of a sandbox", "agent.start": "Gave the agent a task",
	"member.invite": "Invited somebody to a project", "member.uninvite": "Withdrew an invitation to a project",
	"member.join": "Joined a project", "member.decline": "Declined an invitation to a project",
	"member.leave": "Left a project", "member.remove": "Removed a member from a project",
	"member.change": "Changed a member's role",
	"admin.user.limit": "Changed a user's limit", "admin.user.disable": "Disabled a user",
	"admin.user.enable": "Enabled a user", "admin.user.invite": "Made a link for somebody new",
	"admin.user.withdraw": "Withdrew somebody's link",
	"database.create": "Added a database", "database.delete": "Removed a database",
	"environment.put": "Set variables", "environment.change": "Changed a variable", "environment.delete": "Removed a variable",
	"settings.put": "Changed settings", "kubeconfig.put": "Stored a kubeconfig", "kubeconfig.check": "Tested the kubeconfig",
	"cluster.create": "Added a cluster", "cluster.change": "Changed a cluster", "cluster.remove": "Removed a cluster",
	"cluster.check": "Tested the kubeconfig of a cluster",
});

export function Activity() {
	const newest = useResource(() => get("/api/user/audit?limit=30"));
	return (
		<section>
			<h2>Activity</h2>
			<Reading of={newest}>{(first) => <Pages first={first}/>}</Reading>
		</section>
	);
}

/** @param {{first: {items: AuditRecord[], nextCursor: string | null}}} props */
function Pages({first}) {
	const [older, setOlder] = useState(/** @type {AuditRecord[]} */ ([]));
	const [cursor, setCursor] = useState(first.nextCursor);
	const more = useAction(async () => {
		const page = await get(`/api/user/audit?limit=30&cursor=${cursor}`);
		setOlder([...older, ...page.items]);
		setCursor(page.nextCursor);
	});
	const known = new Set(first.items.map(({id}) => id));
	return (
		<>
			<ol class="events">
				{[...first.items, ...older.filter(({id}) => !known.has(id))].map((line) => (
					<li key={line.id}>
						<Time at={line.at}/>
						<span>{[WORDS[line.action] ?? line.action, line.by === "" ? "somebody" : line.by, line.address, line.provider].filter(Boolean).join(" · ")}</span>
					</li>
				))}
			</ol>
			{cursor !== null && <Act action={more}>Show more</Act>}
		</>
	);
}
