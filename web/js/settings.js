import {call, get, post} from "./api.js";
import {fill, form, h, time} from "./dom.js";
import {watch} from "./watch.js";

function known(info) {
	const expiry = info.expiresAt === null
		? h("span", {}, "it does not say when")
		: h("span", {class: info.expired ? "failure" : null}, time(info.expiresAt));
	const rows = [["Server", info.server], ["Namespace", info.namespace], ["User", info.account]];
	return h("dl", {}, rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
		h("dt", {}, "Expires"), h("dd", {}, expiry));
}

/** What was found of it, in the user's words, what to do, and on demand what the cluster said. */
function finding({name, status, code, headline, action, detail}) {
	return h("li", {"data-name": name, "data-status": status},
		h("p", {}, headline, "."),
		action && h("p", {class: "detail"}, action),
		detail && h("details", {class: "detail"}, h("summary", {}, "What the cluster said"),
			h("p", {}, h("code", {}, code), " ", detail)));
}

function tested({state, checkedAt, checks}, again) {
	const done = state === "done";
	return h("div", {class: "checks"},
		h("ul", {}, checks.map(finding)),
		done
			? h("p", {class: "detail"}, "Tested ", time(checkedAt), " ",
				h("button", {type: "button", onclick: again}, "Test again"))
			: h("p", {class: "detail", role: "status"}, "It is being tested, at most once a minute."));
}

export function showSettings({main, report, settled}) {
	const stored = h("div");
	const again = async () => {
		try {
			await post("/api/user/config/kc/check");
			live.now();
		} catch (error) {
			report(error);
		}
	};
	const read = async () => {
		try {
			const info = await get("/api/user/config/kc");
			settled();
			fill(stored, info, (info) => [known(info), tested(info.check, again)]);
			return info.check.state !== "done";
		} catch (error) {
			if (error.status !== 404)
				report(error);
			else
				fill(stored, null, () => [h("p", {}, "None is stored yet: projects need one.")]);
			return false;
		}
	};
	const text = h("textarea", {name: "kubeconfig", rows: 12, required: true, spellcheck: "false",
		autocomplete: "off", placeholder: "apiVersion: v1\nkind: Config\n…"});
	const file = h("input", {type: "file", onchange: async () => {
		text.value = await file.files[0]?.text() ?? "";
	}});
	const store = async (values, element) => {
		await call("PUT", "/api/user/config/kc", {kubeconfig: values.kubeconfig});
		element.reset();
		live.now();
	};
	main.append(h("h1", {}, "Settings"),
		h("section", {},
			h("h2", {}, "Kubernetes access"), stored,
			h("p", {}, "Your kubeconfig is sealed when it arrives: only the reconciler can read it, and this ",
				"page never shows it again."),
			form([h("label", {}, "From a file", file), h("label", {}, "Kubeconfig", text)], "Store", store)));
	const live = watch(read);
	return live.stop;
}
