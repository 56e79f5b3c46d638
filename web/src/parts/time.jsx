import {signal} from "@preact/signals";

// One clock for all that is shown of times.
const now = signal(Date.now());
setInterval(() => now.value = Date.now(), 1000);

const UNITS = /** @type {const} */ ([
	["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60],
]);
const words = new Intl.RelativeTimeFormat("en", {numeric: "auto"});

/** @param {number} seconds from now on; negative: ago */
function relative(seconds) {
	for (const [unit, length] of UNITS)
		if (Math.abs(seconds) >= length)
			return words.format(Math.trunc(seconds / length), unit);
	return seconds > 0 ? `in ${Math.ceil(seconds)} s` : "just now";
}

/**
 * "5 minutes ago", with the whole of it in the title.
 * @param {{at: string}} props
 */
export function Time({at}) {
	const date = new Date(at);
	return <time dateTime={at} title={date.toLocaleString()}>{relative((date.getTime() - now.value) / 1000)}</time>;
}

/** Whether a time lies behind; what is shown changes when it passes. @param {string} at */
export function hasPassed(at) {
	return new Date(at).getTime() <= now.value;
}

/**
 * Until something happens: "in 12 s", and "now" from then on.
 * @param {{at: string}} props
 */
export function Until({at}) {
	const seconds = (new Date(at).getTime() - now.value) / 1000;
	return <time dateTime={at} title={new Date(at).toLocaleString()}>{seconds > 0 ? relative(seconds) : "now"}</time>;
}
