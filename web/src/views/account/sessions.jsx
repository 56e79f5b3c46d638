import {useAction} from "../../action.js";
import {call, get} from "../../api.js";
import {Act} from "../../parts/button.jsx";
import {Reading} from "../../parts/reading.jsx";
import {Time} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";

const BROWSERS = /** @type {const} */ ([
	["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"],
	["fsa/", "fsa"], ["curl/", "curl"],
]);
const SYSTEMS = /** @type {const} */ ([
	["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS", "macOS"], ["Linux", "Linux"],
]);

/** "Chrome on Linux"; what is not known stays as it was sent. @param {string | null} agent */
export function device(agent) {
	if (agent === null)
		return "Unknown device";
	const browser = BROWSERS.find(([sign]) => agent.includes(sign))?.[1];
	const system = SYSTEMS.find(([sign]) => agent.includes(sign))?.[1];
	return browser ? browser + (system ? ` on ${system}` : "") : agent;
}

export function Sessions() {
	const list = useResource(() => get("/api/auth/sessions"));
	const others = useAction(async () => {
		await call("DELETE", "/api/auth/sessions?others=true");
		await list.reload();
	});
	return (
		<section>
			<h2>Sessions</h2>
			<Reading of={list}>
				{({items}) => (
					<table>
						<caption class="unseen">Your sessions</caption>
						<tbody>
							{items.map((/** @type {Session} */ one, /** @type {number} */ i) => (
								<Row key={one.id} number={i + 1} session={one} reload={list.reload}/>
							))}
						</tbody>
					</table>
				)}
			</Reading>
			<p>
				Ending a session gives your terminals other keys: those that run restart. Ending all other access
				withdraws your API tokens, too.
			</p>
			<Act action={others}>End all other access</Act>
		</section>
	);
}

/** @param {{number: number, session: Session, reload: () => Promise<void>}} props `number`: several may be alike */
function Row({number, session: {id, userAgent, address, provider, lastSeenAt, current}, reload}) {
	const end = useAction(async () => {
		await call("DELETE", `/api/auth/sessions/${id}`);
		await reload();
	});
	const name = device(userAgent);
	return (
		<tr>
			<td>
				<span title={userAgent ?? undefined}>{name}</span>
				<br/><span class="detail">{[address, provider].filter(Boolean).join(" · ")}</span>
			</td>
			<td>Last used <Time at={lastSeenAt}/></td>
			<td>{current ? <strong>This one</strong> : <Act action={end} label={`End session ${number}: ${name}`}>End</Act>}</td>
		</tr>
	);
}
