/**
 * Binds an account at a provider ("github") to the user who is logged in. To be called from a click,
 * because it opens a window. `request(path, body)` POSTs JSON with the session and returns the
 * answer's JSON, or throws. Resolves to {id, provider, name} of the identity.
 *
 * @param {string} provider
 * @param {(path: string, body: object) => Promise<any>} request
 */
export async function bindIdentity(provider, request) {
	const popup = window.open("about:blank", "fsa-bind", "popup,width=640,height=760");
	if (!popup)
		throw new Error("The browser did not open the window: allow it to, and try again");
	try {
		const {url, verifier} = await request(`/api/auth/${provider}/bind`, {});
		const state = new URL(url).searchParams.get("state");
		popup.location.href = url;
		const answer = await answerFrom(popup, state);
		if (!answer.code)
			throw new Error("The account was not bound: the provider was not allowed to");
		return await request(`/api/auth/${provider}/finish`,
			{state, code: answer.code, verifier});
	} finally {
		popup.close();
	}
}

/**
 * What callback.js sends, from a page of ours and about this state.
 *
 * @param {Window} popup
 * @param {string | null} state
 * @returns {Promise<{code?: string}>}
 */
function answerFrom(popup, state) {
	return new Promise((resolve, reject) => {
		const look = setInterval(() => {
			if (popup.closed)
				// Its last message may still be on its way.
				setTimeout(() => end(reject, new Error("The window was closed")), 500);
		}, 500);
		/** @param {(value: any) => void} settle @param {any} value */
		function end(settle, value) {
			clearInterval(look);
			removeEventListener("message", hear);
			settle(value);
		}
		/** @param {MessageEvent} event */
		function hear(event) {
			if (event.origin === location.origin && event.data?.type === "fsa:oauth" &&
			    event.data.state === state)
				end(resolve, event.data);
		}
		addEventListener("message", hear);
	});
}
