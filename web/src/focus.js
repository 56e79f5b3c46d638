// The focus never falls to the body. When what has it goes away, as a button does that has done its work, it moves
// to what is nearest: somebody without a mouse goes on from there.

const FOCUSABLE = "a[href], button:not(:disabled), input:not(:disabled, [type=hidden]), select:not(:disabled),"
	+ "textarea:not(:disabled), summary, [tabindex]";

/** What had the focus last, and what it was in, from the inside out. @type {Element[]} */
let chain = [];

/** @param {Element | null} element */
function chainOf(element) {
	const found = [];
	for (let one = element; one !== null; one = one.parentElement)
		found.push(one);
	return found;
}

/** Whether something has the focus, or nothing did that is gone. */
function isKept() {
	const focused = document.activeElement;
	return (focused !== null && focused !== document.body) || chain.length === 0 || chain[0].isConnected;
}

function rescue() {
	if (isKept())
		return;
	for (const place of chain.filter(({isConnected}) => isConnected)) {
		for (const candidate of place.querySelectorAll(FOCUSABLE)) {
			/** @type {HTMLElement} */ (candidate).focus({preventScroll: true});
			if (document.activeElement === candidate)
				return;
		}
	}
}

export function keepFocus() {
	// A press beside everything is meant to leave the focus nowhere.
	document.addEventListener("pointerdown", () => chain = []);
	document.addEventListener("focusin", ({target}) => chain = chainOf(/** @type {Element} */ (target)));
	new MutationObserver(rescue).observe(document.body, {childList: true, subtree: true});
}
