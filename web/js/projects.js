import {get, post} from "./api.js";
import {field, fill, form, h, time} from "./dom.js";
import {moves, watch} from "./watch.js";

export function badge(status) {
	return h("span", {class: "badge", "data-status": status}, status);
}

function row(project) {
	const causes = [...project.sandboxes, ...project.databases].map((part) => part.cause);
	const cause = causes.find((found) => found !== null);
	return h("li", {},
		h("a", {href: `#/projects/${project.id}`}, project.name),
		badge(project.status),
		h("span", {class: "detail"}, cause?.message ?? project.description ?? ""),
		time(project.createdAt));
}

export function showProjects({main, report, settled}) {
	const list = h("ul", {class: "projects"});
	const empty = h("p", {class: "empty", hidden: true},
		"No project yet. A project is a sandbox with a terminal and, if you like, a database.");

	// What is counted changes with the list; without an answer the API still says so when it refuses.
	const room = h("p", {class: "detail", hidden: true});
	const readRoom = async () => {
		const limits = (await get("/api/user/limits")).items;
		const projects = limits.find(({kind}) => kind === "projects");
		const full = projects.limit !== null && projects.used >= projects.limit;
		room.textContent = full
			? `Your limit of ${projects.limit} projects is reached: delete one first, or ask the site's `
				+ "administrator for more. One that is being deleted counts until it is gone."
			: "";
		room.hidden = !full;
		for (const element of creation.elements)
			element.disabled = full;
	};
	let counted = null;

	const create = async (values) => {
		const project = await post("/api/projects", {name: values.name, database: "database" in values});
		location.hash = `#/projects/${project.id}`;
	};
	const read = async () => {
		try {
			const projects = await get("/api/projects");
			projects.sort((one, other) => other.createdAt.localeCompare(one.createdAt));
			fill(list, projects, (found) => found.map(row));
			empty.hidden = projects.length > 0;
			if (counted !== projects.length)
				await readRoom();
			counted = projects.length;
			settled();
			return projects.some((project) => moves(project.status));
		} catch (error) {
			report(error);
			return true;
		}
	};
	const creation = form([
		field("Name", "name", {
			required: true, maxlength: 64, pattern: "[A-Za-z][A-Za-z0-9 \\-]*",
			title: "Letters, digits, spaces and hyphens, beginning with a letter",
		}),
		h("label", {class: "check"},
			h("input", {type: "checkbox", name: "database", checked: true}),
			"with a PostgreSQL database"),
	], "Create", create);
	main.append(
		h("h1", {}, "Projects"), list, empty,
		h("section", {}, h("h2", {}, "New project"), room, creation));
	return watch(read).stop;
}
