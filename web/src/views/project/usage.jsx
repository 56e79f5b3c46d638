import {sizeOf} from "../../parts/bytes.js";
import {Plot} from "../../parts/plot.jsx";
import {useResource} from "../../resource.js";
import {openSandbox} from "../../sandbox/access.js";
import {readUsage, SPAN_MS} from "../../sandbox/usage.js";

/** @typedef {import("../../sandbox/usage.js").History} History */

const EVERY_MS = 5000;
const SHORTEST_MS = 60000; // that a plot spans
const NEARLY = 0.9;

/** What a sandbox that runs uses of what it may. @param {{sandbox: Sandbox, role: Project["role"]}} props */
export function UsageOf({sandbox: {id, projectId}, role}) {
	const {data, error} = useResource(() => readUsage(openSandbox(projectId, id, role)), {deps: [id], every: EVERY_MS});
	if (data === undefined)
		return <p class="detail">{error === null ? "Asking the sandbox what it uses…" : `What it uses is not known: ${error.message}.`}</p>;
	const {usage: {memory: {oomKills}, disks}} = data;
	return (
		<>
			<div class="usage" data-stale={error !== null}>
				<Processor {...data}/>
				<Memory {...data}/>
				{disks.map((disk) => disk && disk.limit > 0 && <Disk key={disk.path} {...disk}/>)}
			</div>
			{oomKills !== null && oomKills > 0 && (
				<p class="warning">
					<strong>{oomKills === 1 ? "A process was" : `${oomKills} processes were`} ended for lack of memory</strong> since
					the sandbox started. What runs here needs more than the sandbox has.
				</p>
			)}
		</>
	);
}

/** @param {number} cores */
const coresOf = (cores) => `${Number(cores.toFixed(2))}`;

/** @param {History} props */
function Processor({usage: {cpu: {limitCores}}, cores}) {
	const now = cores.at(-1);
	if (now === undefined)
		return null;
	const text = limitCores === null ? `${coresOf(now.value)} cores` : `${coresOf(now.value)} of ${coresOf(limitCores)} cores`;
	return <Tile name="CPU" text={text} share={share(now.value, limitCores)}><Line name="CPU" text={text} points={cores} limit={limitCores}/></Tile>;
}

/** @param {History} props */
function Memory({usage: {memory: {used, limit}}, memory}) {
	if (used === null)
		return null;
	const text = limit === null ? sizeOf(used, 1024) : `${sizeOf(used, 1024)} of ${sizeOf(limit, 1024)}`;
	return <Tile name="Memory" text={text} share={share(used, limit)}><Line name="Memory" text={text} points={memory} limit={limit}/></Tile>;
}

/** @param {import("../../sandbox/usage.js").Disk} props */
function Disk({path, used, limit}) {
	const text = `${sizeOf(used, 1024)} of ${sizeOf(limit, 1024)}`;
	const name = path === "/tmp" ? "/tmp" : "Home directory";
	return (
		<Tile name={name} text={text} share={share(used, limit)}>
			<meter min={0} max={limit} high={NEARLY * limit} optimum={0} value={used} aria-label={`${name}: ${text}`}/>
		</Tile>
	);
}

/** @param {number} used @param {number | null} limit */
const share = (used, limit) => (limit === null ? 0 : used / limit);

/** @param {{name: string, text: string, share: number, children: any}} props */
function Tile({name, text, share, children}) {
	return (
		<div class="tile" role="group" aria-label={name} data-nearly={share >= NEARLY}>
			<p class="detail">{name}</p>
			<p>{text}{share >= NEARLY && <span class="unseen">, nearly all</span>}</p>
			{children}
		</div>
	);
}

/** @param {{name: string, text: string, points: {at: number, value: number}[], limit: number | null}} props */
function Line({name, text, points, limit}) {
	if (points.length === 0)
		return null;
	const known = points[points.length - 1].at - points[0].at;
	const span = Math.min(Math.max(known, SHORTEST_MS), SPAN_MS);
	return <Plot points={points} span={span} limit={limit} label={`${name} in the last minutes; now ${text}`}/>;
}
