import {callWithCare, get, post} from "./api.js";
import {ask, busy, field, fill, form, h, time} from "./dom.js";
import {badge} from "./projects.js";
import {moves, watch} from "./watch.js";

// What can be asked of a project, and in which statuses that makes sense.
const ACTIONS = [
	["start", "Start", ["STOPPED", "STOPPING", "ERROR", "PARTIAL"]],
	["stop", "Stop", ["RUNNING", "CREATING", "STARTING", "UPDATING", "ERROR", "PARTIAL"]],
	["restart", "Restart", ["RUNNING", "ERROR"]],
];

const carefully = (path) => callWithCare("POST", path);

const STAGES = {
	database: "Database", container: "Container", network: "Network", terminal: "Terminal",
	ready: "Ready",
};

function outside(href, text) {
	return h("a", {class: "button", href, target: "_blank", rel: "noopener noreferrer"}, text);
}

function stages({progress}) {
	return h("ol", {class: "stages"}, progress.stages.map(({name, state}) =>
		h("li", {"data-state": state}, STAGES[name] ?? name)));
}

// Kinds of causes that another kubeconfig mends.
const MENDED_IN_SETTINGS = new Set(["KUBE_UNAUTHORIZED", "KUBE_TLS", "KUBECONFIG"]);

function settingsLink(kind) {
	return MENDED_IN_SETTINGS.has(kind) ? [" ", h("a", {href: "#/settings"}, "Open the settings"), "."] : [];
}

/**
 * What keeps a sandbox or a database from its desired state: in the user's words, what to do, since
 * when, when it is tried again, and on demand what the cluster said.
 */
function cause(part, what) {
	if (part.cause === null)
		return null;
	const {kind, code, message, headline, action, detail, since, nextAttemptAt} = part.cause;
	return h("div", {class: "cause"},
		h("p", {}, h("strong", {}, `${what}: `), headline ?? message, "."),
		h("p", {class: "detail"}, action, ...settingsLink(kind), " Since ", time(since),
			...(nextAttemptAt === null ? [] : [", next attempt ", time(nextAttemptAt)]), "."),
		h("details", {class: "detail"}, h("summary", {}, "What the cluster said"),
			h("p", {}, h("code", {}, code), " ", detail ?? message)));
}

/** What is worth a word whatever the status is. */
function warnings(part, what) {
	return part.warnings.map(({code, message, headline, action, since}) =>
		h("div", {class: "warning"},
			h("p", {}, h("strong", {}, `${what}: `), headline ?? message, "."),
			h("p", {class: "detail"}, action, " Since ", time(since), "."),
			h("details", {class: "detail"}, h("summary", {}, "What was found"),
				h("p", {}, h("code", {}, code), " ", message))));
}

function addresses({ttydUrl, publicUrl}) {
	return h("p", {class: "actions"}, outside(ttydUrl, "Open terminal"), outside(publicUrl, "Open application"));
}

/** One of several sandboxes: the first one is the project's headline. */
function another(sandbox) {
	const name = sandbox.displayName ?? sandbox.name;
	return [
		h("h2", {}, name, " ", badge(sandbox.status)),
		sandbox.status === "RUNNING" ? addresses(sandbox) : null,
		cause(sandbox, name),
		...warnings(sandbox, name),
	];
}

function summary([project, sandbox]) {
	return [
		h("h1", {}, project.name, " ", badge(project.status)),
		sandbox && stages(sandbox),
		sandbox?.status === "RUNNING" ? addresses(sandbox) : null,
		sandbox && cause(sandbox, "Sandbox"),
		...(sandbox ? warnings(sandbox, "Sandbox") : []),
		...project.sandboxes.slice(1).flatMap(another),
		...project.databases.flatMap((database) =>
			[cause(database, "Database"), ...warnings(database, "Database")]),
	];
}

function database(found) {
	const title = h("h2", {}, "Database");
	if (found === null)
		return [title, h("p", {}, "This project has none.")];
	if (found.connectionUrl === null)
		return [title, h("p", {}, "It is being made.")];
	const rows = [
		["Host", found.host], ["Port", found.port], ["Database", found.database],
		["User", found.username],
	];
	return [
		title,
		h("dl", {}, rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))])),
		h("details", {}, h("summary", {}, "Connection URL, with the password"),
			h("code", {}, found.connectionUrl)),
	];
}

function variableRow(path, variable, changed, report) {
	const remove = async () => {
		try {
			await callWithCare("DELETE", `${path}/${variable.id}`);
		} catch (error) {
			report(error);
		}
		await changed();
	};
	return h("tr", {},
		h("td", {}, h("code", {}, variable.key)),
		h("td", {}, variable.isSecret ? h("em", {}, "secret") : h("code", {}, variable.value)),
		h("td", {}, h("button", {type: "button", onclick: remove}, "Remove")));
}

function variables(path, report) {
	const rows = h("tbody");
	const read = async () => {
		try {
			const groups = Object.values(await get(path)).flat();
			rows.replaceChildren(...groups.map((variable) => variableRow(path, variable, read, report)));
		} catch (error) {
			report(error);
		}
	};
	const add = async (values, element) => {
		const done = await callWithCare("POST", path, {
			key: values.key, value: values.value, isSecret: "secret" in values,
			category: "secret" in values ? "secret" : "general",
		});
		if (done === null)
			return;
		element.reset();
		await read();
	};
	read();
	return [
		h("p", {}, "Every shell and the application have them. A change replaces the pod; files stay."),
		h("table", {}, rows),
		form([
			field("Name", "key", {required: true, pattern: "[A-Za-z_][A-Za-z0-9_]*", maxlength: 128}),
			field("Value", "value", {maxlength: 32768}),
			h("label", {class: "check"}, h("input", {type: "checkbox", name: "secret"}), "secret"),
		], "Add", add),
	];
}

function eventRow(event) {
	return h("li", {}, time(event.at), " ",
		[event.kind, event.status, event.stage, event.message].filter(Boolean).join(" · "));
}

function actions(id, report, changed) {
	const request = (path, send, question) => async (event) => {
		const button = event.currentTarget;
		if (question && !await ask(question, "Delete it"))
			return;
		try {
			await busy(button, () => send(`/api/projects/${id}/${path}`));
			changed();
		} catch (error) {
			report(error);
		}
	};
	const buttons = new Map(ACTIONS.map(([path, label, statuses]) =>
		[h("button", {type: "button", onclick: request(path, carefully)}, label), statuses]));
	const remove = h("button", {
		type: "button", class: "danger",
		onclick: request("delete", post, "Delete this project, its files and its database?"),
	}, "Delete");
	const element = h("p", {class: "actions"}, ...buttons.keys(), remove);
	element.fit = (status) => {
		for (const [button, statuses] of buttons)
			button.hidden = !statuses.includes(status);
		remove.hidden = status === "TERMINATING";
	};
	return element;
}

/** The first sandbox with its progress and its addresses; null when the project has none. */
async function readSandbox(project) {
	const [first] = project.sandboxes;
	return first === undefined ? null : get(`/api/projects/${project.id}/sandboxes/${first.id}`);
}

export function showProject({main, report, settled}, id) {
	const path = `/api/projects/${id}`;
	const head = h("section");
	const base = h("section");
	const events = h("ol", {class: "events"});
	const buttons = actions(id, report, () => live.now());

	const read = async () => {
		try {
			const project = await get(path);
			const [sandbox, recent] = await Promise.all([readSandbox(project), get(`${path}/events?limit=20`)]);
			fill(head, [project, sandbox], summary);
			fill(base, project.databases[0] ?? null, database);
			fill(events, recent.items, (items) => items.map(eventRow));
			buttons.fit(project.status);
			settled();
			return moves(project.status);
		} catch (error) {
			if (error.status === 404)
				location.hash = "#/"; // it has gone
			else
				report(error);
			return true;
		}
	};
	const live = watch(read);
	main.append(head, buttons, base,
		h("section", {}, h("h2", {}, "Variables"), ...variables(`${path}/environment`, report)),
		h("section", {}, h("h2", {}, "What happened"), events));
	return live.stop;
}
