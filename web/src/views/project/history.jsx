import {useEffect, useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {get} from "../../api.js";
import {Act} from "../../parts/button.jsx";
import {Reading} from "../../parts/reading.jsx";
import {called} from "../../parts/status.jsx";
import {Time} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";

const KINDS = /** @type {Record<string, string>} */ ({SANDBOX: "Sandbox", DATABASE: "Database"});
const AT_ONCE = 50;

/** @param {{project: Project}} props */
export function History({project}) {
	const path = `/api/projects/${project.id}/events?limit=${AT_ONCE}`;
	const newest = useResource(() => get(path), {
		deps: [path], hear: ({name, data}, old) => (name !== "kubeconfig" && data.id === project.id ? undefined : old),
	});
	const [kind, setKind] = useState("");
	return (
		<section>
			<h2>What happened</h2>
			<label class="inline">Show{" "}
				<select name="kind" value={kind} onChange={({currentTarget}) => setKind(currentTarget.value)}>
					<option value="">everything</option>
					<option value="SANDBOX">the sandboxes</option>
					<option value="DATABASE">the database</option>
				</select>
			</label>
			<Reading of={newest}>{(first) => <Pages first={first} path={path} kind={kind}/>}</Reading>
		</section>
	);
}

/** @typedef {{items: ProjectEvent[], nextCursor: string | null}} Page */

/**
 * What is known, with the newest page before it. When so much has happened that there is a gap between
 * the two, older events are asked for anew.
 * @param {Page} known
 * @param {Page} newest
 * @returns {Page}
 */
function joined(known, newest) {
	const ids = new Set(newest.items.map(({id}) => id));
	const older = known.items.filter(({id}) => !ids.has(id));
	return older.length === known.items.length ? newest : {items: [...newest.items, ...older], nextCursor: known.nextCursor};
}

/** @param {{first: Page, path: string, kind: string}} props */
function Pages({first, path, kind}) {
	const [known, setKnown] = useState(first);
	const {items, nextCursor} = joined(known, first);
	useEffect(() => setKnown((before) => joined(before, first)), [first]);
	const more = useAction(async () => {
		const page = /** @type {Page} */ (await get(`${path}&cursor=${nextCursor}`));
		setKnown({items: [...items, ...page.items], nextCursor: page.nextCursor});
	});
	return (
		<>
			<Events items={items.filter((event) => kind === "" || event.kind === kind)}/>
			{nextCursor !== null && <Act action={more}>Show more</Act>}
		</>
	);
}

/** @param {ProjectEvent} event */
function describe({kind, status, stage, message}) {
	const words = [KINDS[kind ?? ""] ?? "Project", status && called(status).toLowerCase(), stage, message];
	return words.filter(Boolean).join(" · ");
}

/** @param {{items: ProjectEvent[]}} props */
export function Events({items}) {
	return (
		<ol class="events">
			{items.map((event) => (
				<li key={event.id}>
					<Time at={event.at}/>
					<span>{describe(event)}</span>
				</li>
			))}
		</ol>
	);
}
