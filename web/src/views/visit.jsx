// The way to a private port of a sandbox: sandboxd sends a browser without a token here, with the
// address behind #, and this sends it back with one, if this user may work in its project.

import {useEffect} from "preact/hooks";
import {useAction} from "../action.js";
import {post} from "../api.js";
import {Act} from "../parts/button.jsx";
import {Heading} from "../parts/heading.jsx";
import {fragment} from "../router.js";

/** A browser that comes back so soon has not kept the cookie. */
const AT_ONCE_MS = 10_000;

/** Whether this tab was sent to the host a moment ago; notes that it is now. @param {string} host */
function wasJustThere(host) {
	const key = `visit ${host}`, before = Number(sessionStorage.getItem(key));
	sessionStorage.setItem(key, String(Date.now()));
	return Date.now() - before < AT_ONCE_MS;
}

export function Visit() {
	const [, host, to] = /^([^/]*)(.*)$/.exec(fragment.value) ?? ["", "", ""];
	const go = useAction(async () => {
		const {url, token} = await post("/api/visits", {host: host.replace(/:\d+$/, "")});
		location.replace(`${url}${to || "/"}${to.includes("?") ? "&" : "?"}fsa_token=${token}`);
		return new Promise(() => {}); // busy until the page is left
	});
	useEffect(() => {
		if (!wasJustThere(host))
			go.run();
	}, [host]);
	return (
		<section class="narrow">
			<Heading title="To a private address"/>
			<p><code>{host}</code> is for those who may open its sandbox.</p>
			{!go.busy && go.error === null && (
				<p class="warning">You have just come from there: does your browser keep cookies of this address?</p>
			)}
			<Act action={go}>Go there</Act>
		</section>
	);
}
