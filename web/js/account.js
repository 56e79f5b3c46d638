import {bindIdentity} from "../auth/bind.js";
import {call, elsewhere, get, post} from "./api.js";
import {field, fill, form, h, time} from "./dom.js";

/** A section with a list that is read anew after each change. */
function section(title, read, build, report, ...rest) {
	const list = h("div");
	const refresh = async () => {
		try {
			fill(list, await read(), (items) => build(items, refresh));
		} catch (error) {
			report(error);
		}
	};
	refresh();
	return [refresh, h("section", {}, h("h2", {}, title), list, ...rest)];
}

/** A button that does something and then reads the list again. */
function button(label, act, refresh, report) {
	const press = async ({currentTarget}) => {
		currentTarget.disabled = true;
		try {
			await act();
		} catch (error) {
			report(error);
		}
		await refresh();
		currentTarget.disabled = false; // a list that is as before is not built anew
	};
	return h("button", {type: "button", onclick: press}, label);
}

const STORED_AS = {credentials: "PASSWORD", sealos: "SEALOS", github: "GITHUB", oidc: "GOOGLE"};

/** Ends all other access, too, which the API does by itself. */
function passwordForm() {
	const change = async ({password, newPassword}, element) => {
		await call("PUT", "/api/auth/password", {password, newPassword});
		element.reset();
		details.open = false;
	};
	const details = h("details", {}, h("summary", {}, "Change the password"), form([
		field("Present password", "password", {
			type: "password", required: true, autocomplete: "current-password", maxlength: 1024,
		}),
		field("New password", "newPassword", {
			type: "password", required: true, autocomplete: "new-password", minlength: 8,
			maxlength: 1024,
		}),
	], "Change", change));
	return details;
}

/** The accounts by which somebody logs in; with the providers of this site to add others. */
function identities({report}) {
	const titles = {PASSWORD: "Password"};
	const path = (identity) => `/api/auth/identities/${identity.id}`;
	const build = ({items}, refresh) => [
		h("table", {}, items.map((identity) => h("tr", {},
			h("td", {}, titles[identity.provider] ?? identity.provider),
			h("td", {}, identity.name ?? ""),
			h("td", {}, identity.isPrimary ? h("strong", {}, "Primary") : button("Make primary",
				() => post(`${path(identity)}/primary`), refresh, report)),
			h("td", {}, items.length < 2 ? "" : button("Unbind",
				() => call("DELETE", path(identity)), refresh, report))))),
		items.some((identity) => identity.provider === "PASSWORD") ? passwordForm() : null,
	];
	const more = h("div", {class: "providers"});
	const read = async () => {
		const providers = await get("/api/auth/providers");
		for (const provider of Object.values(providers))
			if (provider.id !== "credentials")
				titles[STORED_AS[provider.id]] = provider.name;
		more.replaceChildren(...elsewhere(providers)
			.map((p) => button(`Add ${p.name}`, () => bindIdentity(p.id, post), refresh, report)));
		return get("/api/auth/identities");
	};
	const [refresh, element] = section("Logging in", read, build, report, more);
	return element;
}

function sessions({report}) {
	const build = ({items}, refresh) => [
		h("table", {}, items.map((session) => h("tr", {},
			h("td", {}, session.userAgent ?? "", h("br"), h("span", {class: "detail"},
				[session.address, session.provider].filter(Boolean).join(" · "))),
			h("td", {}, "Last used ", time(session.lastSeenAt)),
			h("td", {}, session.current ? h("strong", {}, "This one") : button("End",
				() => call("DELETE", `/api/auth/sessions/${session.id}`), refresh, report))))),
		h("p", {}, "Ending a session gives your terminals other keys: those that run restart. ",
			"Ending all other access withdraws your API tokens, too."),
		button("End all other access",
			() => call("DELETE", "/api/auth/sessions?others=true"), refresh, report),
	];
	return section("Sessions", () => get("/api/auth/sessions"), build, report)[1];
}

function tokens({report}) {
	const made = h("p", {class: "made", hidden: true});
	const build = ({items}, refresh) => [
		h("table", {}, items.map((token) => h("tr", {},
			h("td", {}, token.name),
			h("td", {}, token.scope === "write" ? "reads and writes" : "reads"),
			h("td", {}, token.expired ? "Expired " : "Expires ", time(token.expiresAt)),
			h("td", {}, token.lastUsedAt === null ? "never used" : ["Last used ", time(token.lastUsedAt)].flat()),
			h("td", {}, button("Withdraw",
				() => call("DELETE", `/api/user/tokens/${token.id}`), refresh, report))))),
	];
	const password = field("Your password, as your login is older than 10 minutes", "password", {
		type: "password", autocomplete: "current-password", maxlength: 1024,
	});
	password.hidden = true;
	const create = async (values, element) => {
		const wanted = {name: values.name, scope: "write" in values ? "write" : "read"};
		if (values.password)
			wanted.password = values.password;
		const {token} = await post("/api/user/tokens", wanted).catch((error) => {
			password.hidden = password.hidden && error.code !== "LOGIN_NOT_RECENT";
			throw error;
		});
		password.hidden = true;
		made.replaceChildren("Copy it now, it is not shown again: ", h("code", {}, token));
		made.hidden = false;
		element.reset();
		await refresh();
	};
	const [refresh, element] = section("API tokens", () => get("/api/user/tokens"), build, report,
		h("p", {}, "For curl and CI: ", h("code", {}, "Authorization: Bearer fsa_…"), ". They last 90 days. ",
			"Withdrawing one that may change things restarts your terminals."),
		made,
		form([
			field("Name", "name", {required: true, maxlength: 64}),
			h("label", {class: "check"}, h("input", {type: "checkbox", name: "write"}),
				"may change things"),
			password,
		], "Make a token", create));
	return element;
}

function activity({report}) {
	const build = ({items}) => [h("ol", {class: "events"}, items.map((line) => h("li", {},
		time(line.at), " ", [line.action, line.address, line.provider].filter(Boolean).join(" · "))))];
	return section("Activity", () => get("/api/user/audit?limit=30"), build, report)[1];
}

export function showAccount(page) {
	page.main.append(h("h1", {}, "Account"), identities(page), sessions(page), tokens(page), activity(page));
}
