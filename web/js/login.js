import {get, post} from "./api.js";
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
	const fields = (autocomplete) => [
		field("Name", "name", {required: true, autocomplete: "username", maxlength: 64}),
		field("Password", "password", {
			type: "password", required: true, autocomplete, minlength: 8, maxlength: 1024,
		}),
	];
	main.append(h("section", {class: "narrow"},
		h("h1", {}, "Log in"),
		form(fields("current-password"), "Log in", enterBy("/api/auth/login")),
		providers,
		h("details", {},
			h("summary", {}, "New here?"),
			form(fields("new-password"), "Register", enterBy("/api/auth/register")))));
	get("/api/auth/providers").then((found) => {
		const links = Object.values(found).filter((p) => p.type === "oauth" || p.type === "oidc");
		providers.append(...links.map(providerLink));
	}).catch(() => {}); // the password remains
}
