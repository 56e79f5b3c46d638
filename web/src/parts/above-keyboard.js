// A phone's keyboard covers half of the page. Some browsers make the page smaller then (index.html asks for that),
// others only what is seen of it. Either way, what is typed into takes all that is left.

const LEAST = 120; // pixels that a keyboard takes; less is a toolbar of the browser

/**
 * Puts an element over the page, as large as what is seen of it, while it has the focus and there is a keyboard.
 * @param {HTMLElement} element
 * @returns {() => void} ends it
 */
export function stayAboveKeyboard(element) {
	const seen = window.visualViewport, touched = matchMedia("(pointer: coarse)");
	if (seen === null)
		return () => {};
	let width = 0, whole = 0;
	const fit = () => {
		const height = seen.height * seen.scale; // whatever is enlarged with two fingers
		const same = Math.round(seen.width * seen.scale) === width;
		width = Math.round(seen.width * seen.scale);
		whole = same ? Math.max(whole, height) : height;
		const covered = touched.matches && whole - height >= LEAST && element.contains(document.activeElement);
		element.classList.toggle("above-keyboard", covered);
		element.style.height = covered ? `${height}px` : "";
		element.style.top = covered ? `${seen.offsetTop}px` : "";
	};
	fit();
	const events = /** @type {[EventTarget, string][]} */ ([[seen, "resize"], [seen, "scroll"], [element, "focusin"], [element, "focusout"]]);
	for (const [target, name] of events)
		target.addEventListener(name, fit);
	return () => {
		for (const [target, name] of events)
			target.removeEventListener(name, fit);
	};
}
