// Addresses: the path says which view is shown, and what of it. Links are plain <a href>.

import {computed, signal} from "@preact/signals";

const here = signal(read());

/** The path of the address. */
export const path = computed(() => here.value.path);
/** The query of the address: what a view remembers of how it is looked at. */
export const query = computed(() => new URLSearchParams(here.value.search));
/** What stands behind #, without it. Only invitations use it, as servers never see it. */
export const fragment = computed(() => here.value.fragment);

function read() {
	return {path: location.pathname, search: location.search, fragment: location.hash.slice(1)};
}

/**
 * @param {string} to
 * @param {{replace?: boolean}} [how] whether Back skips the present address
 */
export function navigate(to, {replace = false} = {}) {
	history[replace ? "replaceState" : "pushState"](null, "", to);
	here.value = read();
}

/**
 * Remembers in the address how the view is looked at; "" forgets.
 * @param {string} name
 * @param {string} value
 */
export function setQuery(name, value) {
	const changed = new URLSearchParams(location.search);
	if (value === "")
		changed.delete(name);
	else
		changed.set(name, value);
	navigate(`${location.pathname}?${changed}`.replace(/\?$/, ""), {replace: true});
}

/**
 * The parameters of an address like "/projects/:id", or null.
 * @param {string} pattern
 * @param {string} address
 */
export function match(pattern, address) {
	const wanted = pattern.split("/"), found = address.replace(/(.)\/$/, "$1").split("/");
	if (wanted.length !== found.length)
		return null;
	/** @type {Record<string, string>} */
	const parameters = {};
	for (const [i, part] of wanted.entries()) {
		if (part.startsWith(":"))
			parameters[part.slice(1)] = unescape(found[i]);
		else if (part !== found[i])
			return null;
	}
	return parameters;
}

/** @param {string} text */
function unescape(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text; // an address that was cut off: nothing has that name
	}
}

/** Addresses of the former page: #/projects/ID. What invites, or is joined by, is none of them. */
function redirectFormer() {
	if (location.pathname === "/" && /^#\/(?!\/|invite\/|join\/)/.test(location.hash))
		navigate(location.hash.slice(1), {replace: true});
}

/** @param {MouseEvent} event */
function follow(event) {
	const link = event.target instanceof Element ? event.target.closest("a") : null;
	const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
	if (event.defaultPrevented || !plain || !link?.hasAttribute("data-view"))
		return;
	event.preventDefault();
	navigate(/** @type {HTMLAnchorElement} */ (link).href);
}

export function startRouter() {
	const changed = () => {
		here.value = read();
		redirectFormer();
	};
	addEventListener("popstate", changed);
	addEventListener("hashchange", changed);
	document.addEventListener("click", follow);
	redirectFormer();
}
