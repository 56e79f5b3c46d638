// Keeps what is shown current.

import {usesBearer} from "./api.js";

const MOVING = new Set(["CREATING", "STARTING", "UPDATING", "STOPPING", "TERMINATING", "ERROR"]);
const SOON_MS = 1500;
const LATER_MS = 20000;

/** Whether something is expected to happen to a project by itself. */
export function moves(status) {
	return MOVING.has(status);
}

/**
 * The site's stream of events; calls `changed` when it opens and with each event. A stream that has
 * ended for good (a site without live updates, a session that is over) is null in `current`. It
 * sends no headers, so a session without a cookie has none.
 */
function stream(changed) {
	const live = {current: null, close: () => live.current?.close()};
	if (usesBearer())
		return live;
	live.current = new EventSource("/api/events");
	for (const event of ["open", "project", "gone", "kubeconfig"])
		live.current.addEventListener(event, changed);
	live.current.addEventListener("error", () => {
		if (live.current?.readyState === EventSource.CLOSED)
			live.current = null;
	});
	return live;
}

/**
 * Calls `read` now, whenever the site says that something has changed, and from time to time: often
 * while `read` returns that it expects a change and no stream would tell. Returns an object whose
 * now() reads at once and whose stop() ends it.
 */
export function watch(read) {
	let timer = null;
	let stopped = false;
	let reading = false;
	let again = false;

	const wait = (moving) => {
		const streaming = live.current?.readyState === EventSource.OPEN;
		timer = setTimeout(now, again ? 0 : moving && !streaming ? SOON_MS : LATER_MS);
	};
	const now = async () => {
		if (reading || stopped) {
			again = true;
			return;
		}
		clearTimeout(timer);
		reading = true;
		again = false;
		const moving = await read();
		reading = false;
		if (!stopped)
			wait(moving);
	};
	const check = () => document.hidden || now();
	const stop = () => {
		stopped = true;
		clearTimeout(timer);
		live.close();
		document.removeEventListener("visibilitychange", check);
	};
	const live = stream(now);
	document.addEventListener("visibilitychange", check);
	now();
	return {now, stop};
}
