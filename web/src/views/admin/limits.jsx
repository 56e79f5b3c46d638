import {call, get} from "../../api.js";
import {Button} from "../../parts/button.jsx";
import {Dialog} from "../../parts/dialog.jsx";
import {Field, Form} from "../../parts/form.jsx";
import {Reading} from "../../parts/reading.jsx";
import {useResource} from "../../resource.js";

/** What the API's kinds of limits count. */
const LABELS = /** @type {Record<string, string>} */ ({
	projects: "Projects", sandboxes: "Sandboxes of a project", ports: "Open ports of a sandbox",
	running: "Running sandboxes", starts: "Starts an hour",
	cpu: "CPU at once, in millicores", memory: "Memory at once, in MiB", storage: "Volumes, in GiB",
});

/** How much one user may have, and exceptions for them. @param {{person: Person, close: () => void}} props */
export function Limits({person: {id, name}, close}) {
	const path = `/api/admin/users/${id}/limits`;
	const limits = useResource(() => /** @type {Promise<{items: Limit[]}>} */ (get(path)));
	const save = async (/** @type {Record<string, string>} */ {kind, limit}) => {
		await call("PUT", path, {kind, limit: limit === "" ? null : Number(limit)});
		await limits.reload();
	};
	return (
		<Dialog label={`Limits of ${name}`} onClose={close}>
			<h2>Limits of <bdi>{name}</bdi></h2>
			<p>An empty field is everybody's limit. What there is already stays.</p>
			<Reading of={limits}>
				{({items}) => items.map((one) => <OneLimit key={one.kind} {...one} save={save}/>)}
			</Reading>
			<Button class="quiet" onClick={close}>Close</Button>
		</Dialog>
	);
}

/** @param {Limit & {save: (values: Record<string, string>) => Promise<void>}} props */
function OneLimit({kind, limit, used, isException, save}) {
	const words = isException ? `${used} used, an exception` : `${used} used, of everybody's ${limit ?? "unknown limit"}`;
	return (
		<Form label={`Save the limit of ${kind}`} submit={save}>
			<input type="hidden" name="kind" value={kind}/>
			<Field label={LABELS[kind] ?? kind} name="limit" type="number" min={0} max={1000000}
				defaultValue={isException ? limit : ""} hint={<span role="status">{words}</span>}/>
		</Form>
	);
}
