// Building elements. Text is always text: nothing here, or elsewhere on this page, parses HTML.

/**
 * h("a", {href: "#/", onclick: f}, "text", element, null)
 *
 * Members of `attributes` that are functions become listeners, false and null are left out.
 */
export function h(name, attributes, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes ?? {})) {
		if (typeof value === "function")
			element.addEventListener(key.slice(2), value);
		else if (value !== false && value !== null && value !== undefined)
			element.setAttribute(key, value === true ? "" : value);
	}
	element.append(...children.flat().filter((child) => child !== null && child !== undefined));
	return element;
}

/**
 * Fills an element with what `build` makes of the data, unless that is what it shows: what a person
 * has opened, selected or focused in it stays while nothing changes.
 */
export function fill(element, data, build) {
	const key = JSON.stringify(data);
	if (element.filledWith === key)
		return;
	element.filledWith = key;
	element.replaceChildren(...build(data).filter((child) => child !== null));
}

/**
 * A form: fields are elements with a name, `submit` gets their values as an object. While it works
 * the button is off; what it throws is shown under the form, with the commands that help.
 */
export function form(fields, label, submit) {
	const button = h("button", {type: "submit"}, label);
	const failure = h("p", {class: "failure", role: "alert"});
	const remedy = h("pre", {class: "remedy", tabindex: "0"});
	const send = async (event) => {
		event.preventDefault();
		failure.textContent = "";
		remedy.textContent = "";
		try {
			await busy(button, () => submit(Object.fromEntries(new FormData(element)), element));
		} catch (error) {
			failure.textContent = error.message;
			remedy.textContent = error.remedy ?? "";
		}
	};
	const element = h("form", {onsubmit: send}, ...fields, button, failure, remedy);
	return element;
}

/** Works with the button off. It gets the focus back, where that would be lost, for people without a mouse. */
export async function busy(button, work) {
	button.disabled = true;
	try {
		return await work();
	} finally {
		button.disabled = false;
		if (document.activeElement === document.body)
			button.focus();
	}
}

/**
 * Asks, and resolves to whether the answer is the button `yes`. Cancel, which has the focus, and Escape
 * are no. Not window.confirm(): a page in a frame of another site may not have that.
 */
export function ask(question, yes) {
	const dialog = h("dialog", {role: "alertdialog", "aria-labelledby": "question"},
		h("p", {id: "question"}, question),
		h("form", {method: "dialog", class: "actions"},
			h("button", {value: "no", autofocus: true}, "Cancel"),
			h("button", {value: "yes", class: "danger"}, yes)));
	const answer = new Promise((resolve) => {
		dialog.addEventListener("close", () => {
			dialog.remove();
			resolve(dialog.returnValue === "yes");
		});
	});
	document.body.append(dialog);
	dialog.showModal();
	return answer;
}

export function field(label, name, attributes) {
	return h("label", {}, label, h("input", {name, ...attributes}));
}

/** "12:05:31" for today, else with the date; the whole of it in the title. */
export function time(iso) {
	const at = new Date(iso);
	const today = at.toDateString() === new Date().toDateString();
	return h("time", {datetime: iso, title: at.toString()},
		today ? at.toLocaleTimeString() : at.toLocaleString());
}
