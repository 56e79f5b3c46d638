import {get} from "../../api.js";
import {Reading} from "../../parts/reading.jsx";
import {Time} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";
import {Samples} from "./samples.jsx";

/** A pass announces itself every few seconds. */
const LATE_MS = 60000;
/** What is due is taken within seconds. */
const SLOW_MS = 30000;

/** What the database knows of the site. */
export function SiteState() {
	const state = useResource(() => /** @type {Promise<AdminState>} */ (get("/api/admin/state")));
	return (
		<section>
			<h2>The site</h2>
			<Reading of={state}>{(known) => <State {...known}/>}</Reading>
			<Samples/>
		</section>
	);
}

/** @param {AdminState} props */
function State({counts, queue, hosts, maintenance}) {
	const rows = [
		["Users", counts.users], ["Projects", counts.projects],
		["Sandboxes and databases", `${counts.resources}, of which ${counts.running} run and ${queue.errorCount} have failed`],
		["Due now", queue.dueCount],
	];
	const late = hosts.every(({ageMs}) => ageMs > LATE_MS);
	return (
		<>
			{maintenance && <p class="warning">Under maintenance since <Time at={maintenance.since}/>: {maintenance.message}</p>}
			{late && <p class="warning">No reconciler is at work: nothing that users ask for is carried out.</p>}
			{!late && queue.oldestDueMs > SLOW_MS && (
				<p class="warning">Work waits for {Math.round(queue.oldestDueMs / 1000)} s: there is more of it than is done.</p>
			)}
			<dl>{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
			<table>
				<caption class="unseen">Hosts that passes run on</caption>
				<tbody>{hosts.map(({host, version, lastPassAt}) => (
					<tr key={host}>
						<td><bdi>{host}</bdi></td>
						<td>Version {version}</td>
						<td>Last pass <Time at={lastPassAt}/></td>
					</tr>
				))}</tbody>
			</table>
		</>
	);
}
