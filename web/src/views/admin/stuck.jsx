import {get} from "../../api.js";
import {Reading} from "../../parts/reading.jsx";
import {Badge} from "../../parts/status.jsx";
import {Time, Until} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";

/** What is not as its owner wants it, and why. */
export function Stuck() {
	const list = useResource(() => /** @type {Promise<{items: StuckResource[], total: number}>} */ (get("/api/admin/stuck")));
	return (
		<section>
			<h2>Stuck</h2>
			<Reading of={list}>
				{({items, total}) => (items.length === 0
					? <p>Nothing is: every sandbox and database is as its owner wants it, or on its way.</p>
					: (
						<>
							{total > items.length && <p>The first {items.length} of {total}.</p>}
							<ul class="plain">{items.map((one) => <li key={one.id}><Row {...one}/></li>)}</ul>
						</>
					))}
			</Reading>
		</section>
	);
}

/** @param {StuckResource} props */
function Row({kind, name, project, owner, status, since, nextAttemptAt, cause}) {
	return (
		<div class="cause" role="group" aria-label={name}>
			<p>
				<strong><bdi>{project}</bdi></strong> of <bdi>{owner}</bdi>{" "}
				<Badge status={status} trouble={cause !== null}/>
			</p>
			<p>{cause === null ? "It takes long, and no cause is known" : cause.headline ?? cause.message ?? cause.kind}.</p>
			{cause?.action && <p>What to do: {cause.action}.</p>}
			<p class="detail">Since <Time at={since}/>, next attempt <Until at={nextAttemptAt}/>.</p>
			<details class="detail">
				<summary>{kind === "SANDBOX" ? "Sandbox" : "Database"} <code>{name}</code></summary>
				<p><code>{cause?.code ?? cause?.kind}</code> {cause?.message}</p>
			</details>
		</div>
	);
}
