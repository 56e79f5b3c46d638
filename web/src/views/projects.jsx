import {useEffect, useRef, useState} from "preact/hooks";
import {useAction, callWithCare} from "../action.js";
import {get} from "../api.js";
import {Act, Button} from "../parts/button.jsx";
import {Heading} from "../parts/heading.jsx";
import {Link} from "../parts/link.jsx";
import {Reading} from "../parts/reading.jsx";
import {may} from "../parts/role.js";
import {Badge, moves, needsAttention, partsOf} from "../parts/status.jsx";
import {Time} from "../parts/time.jsx";
import {useResource} from "../resource.js";
import {query, setQuery} from "../router.js";
import {Invitations} from "./join.jsx";
import {NewProject} from "./new-project.jsx";
import {Welcome} from "./welcome.jsx";

const AT_ONCE = 100;

const FILTERS = /** @type {Record<string, [string, (project: Project) => boolean]>} */ ({
	"": ["All", () => true],
	attention: ["Needs attention", needsAttention],
	running: ["Running", ({status}) => status === "RUNNING"],
	stopped: ["Stopped", ({status}) => status === "STOPPED"],
	changing: ["Changing", ({status}) => moves(status)],
});

const ORDERS = /** @type {Record<string, [string, (one: Project, other: Project) => number]>} */ ({
	"": ["Newest first", (one, other) => other.createdAt.localeCompare(one.createdAt)],
	name: ["By name", (one, other) => one.name.localeCompare(other.name)],
	status: ["By status", (one, other) => one.status.localeCompare(other.status)],
});

/**
 * The list after an event about one project, which alone is read anew.
 * @param {import("../live.js").LiveEvent} event
 * @param {Project[]} projects
 */
export async function hearProject({name, data}, projects) {
	if (name === "kubeconfig")
		return projects;
	const others = projects.filter(({id}) => id !== data.id);
	if (name === "gone")
		return others;
	const known = projects.some(({id}) => id === data.id);
	const project = await get(`/api/projects/${data.id}`);
	if (project.trashUntil)
		return others;
	return known ? projects.map((old) => (old.id === data.id ? project : old)) : [...others, project];
}

export function Projects() {
	const list = useResource(() => /** @type {Promise<Project[]>} */ (get("/api/projects")), {
		hear: (event, data) => hearProject(event, data).catch(() => undefined),
		moving: (projects) => projects.some(({status}) => moves(status)),
	});
	const [creating, setCreating] = useState(false);
	return (
		<>
			<div class="title">
				<Heading title="Projects"/>
				<Button class="primary" onClick={() => setCreating(true)}>New project</Button>
			</div>
			{creating && <NewProject close={() => setCreating(false)}/>}
			<Invitations reload={list.reload}/>
			<Reading of={list}>
				{(projects) => (projects.length === 0
					? <Welcome create={() => setCreating(true)}/>
					: <Listed projects={projects}/>)}
			</Reading>
			<p class="detail"><Link to="/trash">Deleted projects</Link></p>
		</>
	);
}

/**
 * What the address asks for, of a table; otherwise what stands under "".
 * @template T
 * @param {Record<string, T>} table
 * @param {string} name
 */
function asked(table, name) {
	const key = query.value.get(name) ?? "";
	return Object.hasOwn(table, key) ? table[key] : table[""];
}

/** @param {{projects: Project[]}} props */
function Listed({projects}) {
	const [shown, setShown] = useState(AT_ONCE);
	const wanted = (query.value.get("q") ?? "").toLowerCase();
	const [, fits] = asked(FILTERS, "show");
	const [, order] = asked(ORDERS, "sort");
	const found = projects
		.filter((project) => fits(project) && `${project.name} ${project.description ?? ""}`.toLowerCase().includes(wanted))
		.sort(order);
	return (
		<>
			<Tools/>
			<p class="detail" role="status">
				{found.length < projects.length && `${found.length} of `}{projects.length} {projects.length === 1 ? "project" : "projects"}
			</p>
			<ul class="projects">
				{found.slice(0, shown).map((project) => <Row key={project.id} project={project}/>)}
			</ul>
			{found.length > shown && <Button onClick={() => setShown(shown + AT_ONCE)}>Show more</Button>}
		</>
	);
}

/** Search, filter and order; "/" leads to the search. */
function Tools() {
	const search = useRef(/** @type {HTMLInputElement | null} */ (null));
	useEffect(() => {
		const press = (/** @type {KeyboardEvent} */ event) => {
			if (event.key !== "/" || (event.target instanceof Element && event.target.matches("input, textarea, select")))
				return;
			event.preventDefault();
			search.current?.focus();
		};
		document.addEventListener("keydown", press);
		return () => document.removeEventListener("keydown", press);
	}, []);
	return (
		<search class="tools">
			<input ref={search} type="search" aria-label="Search projects" placeholder="Search (/)"
				value={query.value.get("q") ?? ""} onInput={({currentTarget}) => setQuery("q", currentTarget.value)}/>
			<Choice label="Show" name="show" choices={FILTERS}/>
			<Choice label="Sort" name="sort" choices={ORDERS}/>
		</search>
	);
}

/** @param {{label: string, name: string, choices: Record<string, [string, any]>}} props */
function Choice({label, name, choices}) {
	return (
		<select aria-label={label} value={query.value.get(name) ?? ""}
			onChange={({currentTarget}) => setQuery(name, currentTarget.value)}>
			{Object.entries(choices).map(([value, [words]]) => <option key={value} value={value}>{words}</option>)}
		</select>
	);
}

/** @param {{project: Project}} props */
function Row({project}) {
	const trouble = partsOf(project).map((part) => part.cause).find((cause) => cause !== null);
	return (
		<li>
			<Link to={`/projects/${project.id}`}><bdi>{project.name}</bdi></Link>
			<Badge status={project.status} trouble={Boolean(trouble)}/>
			<span class={trouble ? "detail cause" : "detail"}>
				{project.role !== "owner" && <span class="shared">shared by <bdi>{project.owner}</bdi> </span>}
				{trouble ? trouble.headline ?? trouble.message : project.description}
			</span>
			<Time at={project.createdAt}/>
			<Quick project={project}/>
		</li>
	);
}

/** What is done with a project most, without opening it. @param {{project: Project}} props */
function Quick({project}) {
	const {id, name, status} = project;
	const verb = !may(project, "editor") ? null : status === "STOPPED" ? "start" : status === "RUNNING" ? "stop" : null;
	const action = useAction(() => callWithCare("POST", `/api/projects/${id}/${verb}`));
	return (
		<span class="quick">
			{verb && <Act action={action} label={`${verb === "start" ? "Start" : "Stop"} ${name}`}>
				{verb === "start" ? "Start" : "Stop"}
			</Act>}
		</span>
	);
}
