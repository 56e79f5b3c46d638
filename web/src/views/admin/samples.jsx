import {get} from "../../api.js";
import {Plot} from "../../parts/plot.jsx";
import {Reading} from "../../parts/reading.jsx";
import {useResource} from "../../resource.js";

const DAY_MS = 86400000, MINUTE_MS = 60000;

/** What is plotted of the samples: a name, a value, and how it is said. */
const PLOTS = /** @type {[string, (sample: Sample) => number, (value: number) => string][]} */ ([
	["Running", ({running}) => running, String],
	["Failed", ({failed}) => failed, String],
	["Due", ({due}) => due, String],
	["Changes by users", ({changes}) => changes, String],
	["Changes by passes", ({events}) => events, String],
	["Longest wait", ({oldestDueMs}) => oldestDueMs, (value) => `${Math.round(value / 1000)} s`],
]);

/** What the site was like in the last day. */
export function Samples() {
	const samples = useResource(() => /** @type {Promise<{items: Sample[]}>} */ (get("/api/admin/samples")), {every: MINUTE_MS});
	return (
		<Reading of={samples}>
			{({items}) => items.length > 1 && (
				<div class="usage">
					{PLOTS.map(([name, read, say]) => <One key={name} name={name} say={say} values={items.map(read)} items={items}/>)}
				</div>
			)}
		</Reading>
	);
}

/** @param {{name: string, say: (value: number) => string, values: number[], items: Sample[]}} props */
function One({name, say, values, items}) {
	const now = say(values[values.length - 1]), most = say(Math.max(...values));
	const points = items.map(({at}, i) => ({at: Date.parse(at), value: values[i]}));
	return (
		<div class="tile" role="group" aria-label={name}>
			<p class="detail">{name}</p>
			<p>{now}{most !== now && <span class="detail">, {most} at most today</span>}</p>
			<Plot points={points} span={DAY_MS} limit={null} label={`${name} in the last day; now ${now}, at most ${most}`}/>
		</div>
	);
}
