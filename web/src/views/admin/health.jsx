import {get} from "../../api.js";
import {Reading} from "../../parts/reading.jsx";
import {Time} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";

/** What fsactl doctor found on the hosts, with what to do. */
export function Health() {
	const hosts = useResource(() => /** @type {Promise<{items: HostHealth[]}>} */ (get("/api/admin/health")));
	return (
		<section>
			<h2>Health</h2>
			<Reading of={hosts}>
				{({items}) => (items.length === 0
					? <p>No host has recorded yet what it finds: <code>fsa-doctor.timer</code> does so on each, once an hour.</p>
					: items.map((one) => <Host key={one.host} {...one}/>))}
			</Reading>
		</section>
	);
}

/** @param {HostHealth} props */
function Host({host, checkedAt, inOrder, findings}) {
	return (
		<>
			<p>
				<strong><bdi>{host}</bdi></strong>, <Time at={checkedAt}/>: {inOrder} {inOrder === 1 ? "thing" : "things"} in order,{" "}
				{findings.length === 0 ? "nothing to do." : `${findings.length} not.`}
			</p>
			<ul class="plain">
				{findings.map((one) => <li key={`${one.check} ${one.subject} ${one.message}`}><Found {...one}/></li>)}
			</ul>
		</>
	);
}

/** @param {HostHealth["findings"][number]} props */
function Found({health, check, subject, message, advice}) {
	return (
		<div class={health === "FAILED" ? "cause" : "warning"} role="group" aria-label={`${check}: ${subject}`}>
			<p><strong>{health === "FAILED" ? "Failed" : "Warning"}: {check}</strong>, <bdi>{subject}</bdi>: {message}</p>
			{advice !== null && <p>What to do: {advice}.</p>}
		</div>
	);
}
