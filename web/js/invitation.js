// Where an invitation's link leads to: somebody sets a password of their own, and is logged in.

import {post} from "./api.js";
import {field, form, h} from "./dom.js";

export function showInvitation({main, enter}, escapedName, token) {
	const accept = async ({password, again}) => {
		if (password !== again)
			throw new Error("The two are not the same.");
		await post("/api/auth/invitation", {token, password});
		// The link is used up: it is not to stay in the browser's history.
		history.replaceState(null, "", "#/");
		await enter();
	};
	const secret = {type: "password", required: true, autocomplete: "new-password", minlength: 8,
		maxlength: 1024};
	main.append(h("section", {class: "narrow"},
		h("h1", {}, "Set your password"),
		form([
			field("Name", "name", {readonly: true, autocomplete: "username", value: named(escapedName)}),
			field("Password", "password", secret),
			field("The same again", "again", secret),
		], "Set it, and log in", accept)));
}

function named(escaped) {
	try {
		return decodeURIComponent(escaped);
	} catch {
		return escaped; // a link that was cut off or changed: the API will say so
	}
}
