// What a sandbox uses of its processor and memory, over time: sandboxd says what is, and the console
// remembers what was, for as long as it is open.

/**
 * @typedef {import("./access.js").Access} Access
 * @typedef {{path: string, used: number, limit: number}} Disk
 * @typedef {object} Usage
 * @property {{usedSeconds: number | null, limitCores: number | null}} cpu
 * @property {{used: number | null, limit: number | null, oomKills: number | null}} memory
 * @property {(Disk | null)[]} disks
 *
 * @typedef {{at: number, value: number}} Point
 * @typedef {{usage: Usage, cores: Point[], memory: Point[]}} History
 */

/** How far back a history goes. */
export const SPAN_MS = 600000;
const FIRST_MS = 1000;

/** @type {WeakMap<Access, {at: number, seconds: number, history: History}>} */
const remembered = new WeakMap();

/** @param {Access} access @returns {Promise<History>} with what there is now */
export async function readUsage(access) {
	if (!remembered.has(access)) {
		await sample(access);
		await new Promise((resolve) => setTimeout(resolve, FIRST_MS)); // a share takes two looks
	}
	return sample(access);
}

/** @param {Access} access @returns {Promise<History>} */
async function sample(access) {
	const usage = /** @type {Usage} */ (await (await access.request("/v1/usage")).json());
	const at = Date.now(), seconds = usage.cpu.usedSeconds ?? NaN;
	const before = remembered.get(access);
	// What counts from another beginning is another pod.
	const past = before && !(seconds < before.seconds) ? before.history : {cores: [], memory: []};
	const cores = before ? (seconds - before.seconds) / (at - before.at) * 1000 : NaN;
	const history = {usage, cores: add(past.cores, at, cores), memory: add(past.memory, at, usage.memory.used ?? NaN)};
	remembered.set(access, {at, seconds, history});
	return history;
}

/** @param {Point[]} points @param {number} at @param {number} value @returns {Point[]} */
function add(points, at, value) {
	const kept = points.filter((point) => at - point.at <= SPAN_MS);
	return value >= 0 ? [...kept, {at, value}] : kept;
}
