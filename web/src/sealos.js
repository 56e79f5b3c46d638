// Logging in inside the Sealos desktop, which shows its apps in frames and tells them who is there
// (npm: @zjy365/sealos-desktop-sdk; spoken here directly, because that answers to whoever speaks).

import {get, post, useBearer} from "./api.js";

const PATIENCE_MS = 10000;

/** Whether another page shows this one. */
export const framed = () => window.top !== window;

/**
 * Logs in; false if this site has no login by Sealos. Throws what went wrong.
 * @param {() => Promise<User | null>} whoIsThere
 */
export async function logInBySealos(whoIsThere) {
	const {sealos} = await get("/api/auth/providers");
	if (sealos === undefined)
		return false;
	const {token, kubeconfig} = await ask(sealos.origins, "user.getInfo");
	await post("/api/auth/sealos", {token, kubeconfig});
	if (await whoIsThere() !== null)
		return true;
	// This browser keeps no cookies of a site in a frame: the session lives as long as the page.
	const made = await post("/api/auth/sealos", {token, kubeconfig, bearer: true});
	useBearer(made.token);
	return true;
}

/**
 * Asks the desktop, and nobody else: the question is delivered to the origins that the operator has
 * named, and an answer counts from the top window of such an origin.
 *
 * @param {string[]} origins
 * @param {string} apiName
 * @returns {Promise<any>}
 */
function ask(origins, apiName) {
	const outermost = Array.from(location.ancestorOrigins ?? []).at(-1);
	const asked = outermost === undefined ? origins : origins.filter((o) => o === outermost);
	if (asked.length === 0)
		throw new Error("This site is not set up for the desktop that shows it");
	const messageId = crypto.randomUUID();
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => end(reject, new Error("The desktop does not answer")), PATIENCE_MS);
		/** @param {(value: any) => void} settle @param {any} value */
		function end(settle, value) {
			clearTimeout(timer);
			removeEventListener("message", hear);
			settle(value);
		}
		/** @param {MessageEvent} event */
		function hear({source, origin, data}) {
			if (source !== window.top || !origins.includes(origin) || data?.messageId !== messageId)
				return;
			if (data.success)
				end(resolve, data.data);
			else
				end(reject, new Error(`The desktop says: ${data.message}`));
		}
		addEventListener("message", hear);
		const question = {
			messageId,
			apiName,
			appKey: "",
			clientLocation: location.origin,
			success: false,
			data: {},
		};
		for (const origin of asked)
			window.top?.postMessage(question, origin);
	});
}
