import {call, get} from "./api.js";
import {form, h, time} from "./dom.js";

function known(info) {
	const expiry = info.expiresAt === null
		? h("span", {}, "it does not say when")
		: h("span", {class: info.expired ? "failure" : null}, time(info.expiresAt));
	const rows = [["Server", info.server], ["Namespace", info.namespace], ["User", info.account]];
	return h("dl", {}, rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
		h("dt", {}, "Expires"), h("dd", {}, expiry));
}

export function showSettings({main, report}) {
	const stored = h("div");
	const read = async () => {
		try {
			stored.replaceChildren(known(await get("/api/user/config/kc")));
		} catch (error) {
			if (error.status !== 404)
				return report(error);
			stored.replaceChildren(h("p", {}, "None is stored yet: projects need one."));
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
		await read();
	};
	main.append(h("h1", {}, "Settings"),
		h("section", {},
			h("h2", {}, "Kubernetes access"), stored,
			h("p", {}, "Your kubeconfig is sealed when it arrives: only the reconciler can read it, and this ",
				"page never shows it again."),
			form([h("label", {}, "From a file", file), h("label", {}, "Kubeconfig", text)], "Store", store)));
	read();
}
