// The one way to read. A resource is loading until there is data or an error; with data it stays
// shown while it is read again, and is stale when that failed. It is kept current by the site's events.

import {useEffect, useRef, useState} from "preact/hooks";
import {ApiError, sessionEnded} from "./api.js";
import {listen, streaming} from "./live.js";

const SOON_MS = 1500;
const LATER_MS = 20000;

/**
 * @template T
 * @typedef {object} Resource
 * @property {T | undefined} data
 * @property {any} error of the last attempt, null when that went well
 * @property {boolean} loading nothing is known yet
 * @property {boolean} stale there is data, and it could not be read again
 * @property {() => Promise<void>} reload
 */

/**
 * @template T
 * @typedef {object} Options
 * @property {any[]} [deps] another value begins anew, without data
 * @property {number} [every] milliseconds after which it is read again, for what changes all the time
 * @property {(data: T) => boolean} [moving] whether a change is expected
 * @property {(event: import("./live.js").LiveEvent, data: T) => T | undefined | Promise<T | undefined>} [hear]
 *   the data after an event, undefined to read it anew; without this, events are not for it
 */

/**
 * @template T
 * @param {() => Promise<T>} read
 * @param {Options<T>} [options]
 * @returns {Resource<T>}
 */
export function useResource(read, options = {}) {
	const [state, setState] = useState({data: /** @type {T | undefined} */ (undefined), error: /** @type {any} */ (null)});
	const latest = useRef({read, options});
	latest.current = {read, options};
	const watch = useRef(/** @type {ReturnType<typeof start> | null} */ (null));
	useEffect(() => {
		setState({data: undefined, error: null});
		watch.current = start(/** @type {any} */ (latest), setState);
		return watch.current.stop;
	}, options.deps ?? []);
	return {
		...state,
		loading: state.data === undefined && state.error === null,
		stale: state.data !== undefined && state.error !== null,
		reload: async () => watch.current?.now(),
	};
}

/**
 * Reads now, after events, and from time to time, never twice at once.
 * @param {{current: {read: () => Promise<any>, options: Options<any>}}} latest
 * @param {(state: {data: any, error: any}) => void} show
 */
function start(latest, show) {
	let data = /** @type {any} */ (undefined);
	let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
	let reading = /** @type {Promise<void> | null} */ (null);
	let again = false, stopped = false;
	let heard = Promise.resolve();

	/** @param {any} error */
	const pause = (error) => {
		if (error !== null)
			return error instanceof ApiError && error.status < 500 ? LATER_MS : latest.current.options.every ?? SOON_MS;
		const moving = latest.current.options.moving?.(data) ?? false;
		return moving && !streaming.value ? SOON_MS : latest.current.options.every ?? LATER_MS;
	};
	const once = async () => {
		let error = null;
		try {
			data = await latest.current.read();
		} catch (e) {
			error = e;
		}
		if (stopped)
			return;
		show({data, error});
		clearTimeout(timer);
		timer = setTimeout(now, again ? 0 : pause(error));
	};
	const now = () => {
		again = reading !== null;
		if (!stopped)
			reading ??= once().finally(() => reading = null);
		return reading ?? Promise.resolve();
	};
	const take = async (/** @type {import("./live.js").LiveEvent} */ event) => {
		const {hear: patch} = latest.current.options, old = data;
		if (patch === undefined || stopped)
			return;
		const changed = event.name === "open" || old === undefined ? undefined : await patch(event, old);
		if (changed === undefined || (changed !== old && (reading !== null || data !== old)))
			now(); // a read that is under way, or went past meanwhile, may have missed what the event is about
		else if (changed !== old && !stopped)
			show({data: data = changed, error: null});
	};
	// One after the other: each begins with what those before it made of the data.
	const hear = (/** @type {import("./live.js").LiveEvent} */ event) => {
		heard = heard.then(() => take(event)).catch(now);
	};
	const seen = () => void (document.hidden || now());
	const ends = [listen(hear), sessionEnded.subscribe((ended) => void (ended || now()))];
	document.addEventListener("visibilitychange", seen);
	return {now, stop() {
		stopped = true;
		clearTimeout(timer);
		document.removeEventListener("visibilitychange", seen);
		for (const end of ends)
			end();
	}};
}
