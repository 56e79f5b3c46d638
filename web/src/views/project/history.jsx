import {useState} from "preact/hooks";
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
				<select value={kind} onChange={({currentTarget}) => setKind(currentTarget.value)}>
					<option value="">everything</option>
					<option value="SANDBOX">the sandboxes</option>
					<option value="DATABASE">the database</option>
				</select>
			</label>
			<Reading of={newest}>{(first) => <Pages first={first} path={path} kind={kind}/>}</Reading>
		</section>
	);
}

/** @param {{first: {items: ProjectEvent[], nextCursor: string | null}, path: string, kind: string}} props */
function Pages({first, path, kind}) {
	const [older, setOlder] = useState(/** @type {ProjectEvent[]} */ ([]));
	const [cursor, setCursor] = useState(first.nextCursor);
	const more = useAction(async () => {
		const page = await get(`${path}&cursor=${cursor}`);
		setOlder([...older, ...page.items]);
		setCursor(page.nextCursor);
	});
	// What has moved from the first page to the others since is there twice.
	const known = new Set(first.items.map(({id}) => id));
	const all = [...first.items, ...older.filter(({id}) => !known.has(id))];
	return (
		<>
			<Events items={all.filter((event) => kind === "" || event.kind === kind)}/>
			{cursor !== null && <Act action={more}>Show more</Act>}
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
