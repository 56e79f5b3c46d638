import {elsewhere, get, post} from "./api.js";
import {field, form, h} from "./dom.js";

// What the API's list of providers offers besides the password.
function providerLink(provider) {
	return h("a", {class: "button", href: provider.signinUrl}, `Log in with ${provider.name}`);
}

export function showLogin({main, enter}) {
	const providers = h("div", {class: "providers"});
	const enterBy = (path) => async (values) => {
		await post(path, values);
		await enter();
	};
	const fields = (password) => [
		field("Name", "name", {required: true, autocomplete: "username", maxlength: 64}),
		field("Password", "password", {type: "password", required: true, maxlength: 1024, ...password}),
	];
	const register = h("details", {},
		h("summary", {}, "New here?"),
		form(fields({autocomplete: "new-password", minlength: 8}), "Register",
			enterBy("/api/auth/register")));
	main.append(h("section", {class: "narrow"},
		h("h1", {}, "Log in"),
		form(fields({autocomplete: "current-password"}), "Log in", enterBy("/api/auth/login")),
		providers,
		register));
	get("/api/auth/providers").then((found) => {
		providers.append(...elsewhere(found).map(providerLink));
		register.hidden = found.credentials?.registration === false;
	}).catch(() => {}); // the password remains
}
