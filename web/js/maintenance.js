// The operator's text while the site is under maintenance, on every view.

import {get, onMaintenance} from "./api.js";

const EVERY_MS = 60000;

/** Shows it in `banner`: when a change is refused for it, at the beginning, and as long as it lasts. */
export function watchMaintenance(banner) {
	const tell = (text) => {
		banner.textContent = text === "" ? "" : `Under maintenance, nothing can be changed: ${text}`;
		banner.hidden = text === "";
	};
	const ask = async () => {
		try {
			tell((await get("/api/site")).maintenance?.message ?? "");
		} catch {
			// The next time; that the site does not answer is shown elsewhere.
		}
	};
	const check = () => document.hidden || ask();
	onMaintenance(tell);
	document.addEventListener("visibilitychange", check);
	setInterval(check, EVERY_MS);
	ask();
}
