// What concerns every view: that the site does not answer, that nothing can be changed.

import {useEffect} from "preact/hooks";
import {away, get, maintenance} from "../api.js";

const EVERY_MS = 60000;

export function Banners() {
	useEffect(watchMaintenance, []);
	return (
		<div role="status" class="banners">
			{away.value && <p id="away">The site does not answer; asking again. What you see and have typed stays.</p>}
			{maintenance.value !== "" && (
				<p id="maintenance">Under maintenance, nothing can be changed: {maintenance.value}</p>
			)}
		</div>
	);
}

/** Asks at the beginning, and from time to time while somebody looks. */
function watchMaintenance() {
	const check = async () => {
		if (!document.hidden)
			await get("/api/site").then((site) => maintenance.value = site.maintenance?.message ?? "", () => {});
	};
	const timer = setInterval(check, EVERY_MS);
	document.addEventListener("visibilitychange", check);
	check();
	return () => {
		clearInterval(timer);
		document.removeEventListener("visibilitychange", check);
	};
}
