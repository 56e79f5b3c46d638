// xterm.js writes <style> elements and style attributes, which the content security policy refuses from
// anybody. What scripts set in the object model is allowed, so both are brought there.

/** An element that stands for a sheet of the document: its text is the sheet's, and with it the sheet goes. */
function makeSheet() {
	const sheet = new CSSStyleSheet();
	document.adoptedStyleSheets.push(sheet);
	const element = document.createElement("template");
	Object.defineProperty(element, "textContent", {set: (/** @type {string} */ text) => sheet.replaceSync(text)});
	Object.defineProperty(element, "remove", {value() {
		Element.prototype.remove.call(element);
		document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
	}});
	return element;
}

/**
 * Runs `work`, which gets sheets where it creates style elements.
 * @param {() => void} work
 */
export function withSheets(work) {
	const create = Document.prototype.createElement;
	document.createElement = /** @type {any} */ ((/** @type {string} */ name, /** @type {any[]} */ ...rest) => {
		if (name === "style")
			return makeSheet();
		return create.call(document, name, ...rest);
	});
	try {
		work();
	} finally {
		delete (/** @type {any} */ (document).createElement);
	}
}

/** The colours of single letters are attributes of spans: "color:#ff8800". */
HTMLSpanElement.prototype.setAttribute = function setAttribute(name, value) {
	if (name === "style")
		this.style.cssText = value;
	else
		Element.prototype.setAttribute.call(this, name, value);
};
