// The site's stream of events: one for the whole page. It sends no headers, so a session without a
// cookie has none; then, and where the site has none, resources ask from time to time.

import {signal} from "@preact/signals";
import {usesBearer} from "./api.js";

/** Whether changes are told at once. */
export const streaming = signal(false);

/**
 * @typedef {{name: "open" | "project" | "gone" | "kubeconfig", data: any}} LiveEvent
 * @type {Set<(event: LiveEvent) => void>}
 */
const listeners = new Set();
const NAMES = /** @type {const} */ (["open", "project", "gone", "kubeconfig"]);

/** @type {EventSource | null} */
let source = null;

/** Whether there is a session that may have a stream. */
let wanted = false;

/** Opens the stream for the session that there is now. */
export function startLive() {
	wanted = !usesBearer();
	follow();
}

export function stopLive() {
	wanted = false;
	follow();
}

// A page that nobody sees has none, in another tab or kept by the browser for Back: of HTTP/1.1, browsers have six
// connections to a site, and streams would take them all. Seen again it reads everything.
document.addEventListener("visibilitychange", follow);

function follow() {
	source?.close();
	source = null;
	streaming.value = false;
	if (!wanted || document.hidden)
		return;
	source = new EventSource("/api/events");
	for (const name of NAMES)
		source.addEventListener(name, (event) => tell(name, /** @type {MessageEvent} */ (event).data));
	source.addEventListener("error", () => streaming.value = false);
}

/**
 * Calls `hear` with each event, and with "open" when changes may have been missed.
 * @param {(event: LiveEvent) => void} hear
 * @returns {() => void} which ends it
 */
export function listen(hear) {
	listeners.add(hear);
	return () => listeners.delete(hear);
}

/** @param {LiveEvent["name"]} name @param {string | undefined} text */
function tell(name, text) {
	streaming.value = true;
	const data = text === undefined ? null : JSON.parse(text);
	for (const hear of listeners)
		hear({name, data});
}
