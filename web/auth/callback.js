// The window in which somebody let a provider tell us who they are. It hands what the provider has
// put into the URL to the page that opened it: the browser delivers a message with a target origin
// to a page of that origin and to no other, so a stranger's page that opened us gets nothing.
const given = new URLSearchParams(location.search);
history.replaceState(null, "", location.pathname);

if (window.opener) {
	const message = { type: "fsa:oauth" };
	for (const name of ["state", "code", "error"])
		if (given.has(name))
			message[name] = given.get(name);
	window.opener.postMessage(message, location.origin);
	window.close();
}
