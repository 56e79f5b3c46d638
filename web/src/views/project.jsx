import {useEffect, useRef} from "preact/hooks";
import {useAction, callWithCare} from "../action.js";
import {get} from "../api.js";
import {hasDraft} from "../draft.js";
import {Act} from "../parts/button.jsx";
import {Heading} from "../parts/heading.jsx";
import {Link, Outside} from "../parts/link.jsx";
import {may} from "../parts/role.js";
import {Badge, moves, partsOf, sentence} from "../parts/status.jsx";
import {Time} from "../parts/time.jsx";
import {useResource} from "../resource.js";
import {navigate} from "../router.js";
import {TABS} from "./project/tabs.js";

const IS_ID = /^[0-9a-f-]{36}$/;

/** What can be asked of a project, and in which statuses that makes sense. */
const ACTIONS = [
	{verb: "start", label: "Start", statuses: ["STOPPED", "STOPPING", "ERROR", "PARTIAL"]},
	{verb: "stop", label: "Stop", statuses: ["RUNNING", "CREATING", "STARTING", "UPDATING", "ERROR", "PARTIAL"]},
	{verb: "restart", label: "Restart", statuses: ["RUNNING", "ERROR"]},
];

/**
 * A project with its sandboxes in full. By a name its address becomes that of its id.
 * @param {string} id
 * @param {string} tab
 * @returns {Promise<Project>}
 */
async function read(id, tab) {
	if (!IS_ID.test(id)) {
		const all = /** @type {Project[]} */ (await get(`/api/projects?keyword=${encodeURIComponent(id)}`));
		const named = all.find(({name}) => name === id);
		if (named !== undefined)
			navigate(address(named.id, tab), {replace: true});
		id = named?.id ?? "none";
	}
	const project = await get(`/api/projects/${id}`);
	const path = `/api/projects/${id}/sandboxes`;
	project.sandboxes = await Promise.all(project.sandboxes.map((/** @type {Sandbox} */ one) => get(`${path}/${one.id}`)));
	return project;
}

/** @param {string} id @param {string} tab */
const address = (id, tab) => `/projects/${id}${tab && `/${tab}`}`;

/** @param {{id: string, tab?: string}} props */
export function Project({id, tab = ""}) {
	const resource = useResource(() => read(id, tab), {
		deps: [id],
		moving: ({status}) => moves(status),
		hear: ({name, data}, old) => (name === "kubeconfig" || data.id !== old.id ? old : undefined),
	});
	const {data, error} = resource;
	if (error?.status === 404 || error?.status === 400)
		return <Gone/>;
	if (data?.trashUntil)
		return <Deleted name={data.name} until={data.trashUntil}/>;
	return (
		<>
			<Head project={data} id={id}/>
			<Tabs id={id} tab={tab} project={data}/>
			{error !== null && !(error instanceof TypeError) && <p class="failure" role="alert">{error.message}</p>}
			{data ? <Tab name={tab} project={data} reload={resource.reload}/> : <p class="loading" role="status">Loading…</p>}
		</>
	);
}

/**
 * In one row, which scrolls where it is narrow; without those that are not for the person.
 * @param {{id: string, tab: string, project?: Project}} props
 */
function Tabs({id, tab, project}) {
	const row = useRef(/** @type {HTMLElement | null} */ (null));
	useEffect(() => row.current?.querySelector("[aria-current]")?.scrollIntoView({block: "nearest", inline: "nearest"}), [tab]);
	return (
		<nav ref={row} class="tabs" aria-label="Project">
			{TABS.filter((one) => isFor(one, project)).map(({name, label}) => (
				<Link key={name} to={address(id, name)} aria-current={name === tab ? "page" : undefined}>
					{label}{name === "variables" && hasDraft(id) && <Unapplied/>}
				</Link>
			))}
		</nav>
	);
}

/** Whether a tab is for the person; as long as that is not known, it may be. @param {{least?: "editor"}} tab @param {Project} [project] */
const isFor = ({least}, project) => least === undefined || project === undefined || may(project, least);

function Unapplied() {
	return <span class="unapplied" title="Some changes are not applied yet"> ●<span class="unseen"> changes are not applied yet</span></span>;
}

/** @param {{name: string, project: Project, reload: () => Promise<void>}} props */
function Tab({name, ...rest}) {
	const tab = TABS.find((known) => known.name === name && isFor(known, rest.project));
	return tab ? <tab.View {...rest}/> : <Gone/>;
}

/** Name, status and what can be done; nothing of it before it is known. @param {{project?: Project, id: string}} props */
function Head({project, id}) {
	const trouble = project !== undefined && partsOf(project).some((part) => part.cause !== null);
	return (
		<div class="title">
			<Heading title={project?.name ?? "Project"} at={`/projects/${id}`}/>
			{project && <Badge status={project.status} trouble={trouble}/>}
			<p class="detail" role="status">{project && sentence(project.status)}</p>
			{project && project.role !== "owner" && <p class="detail">of <bdi>{project.owner}</bdi>; you are {project.role === "editor" ? "an editor" : "a viewer"}</p>}
			{project && may(project, "editor") && (
				<div class="actions">
					{ACTIONS.filter(({statuses}) => statuses.includes(project.status))
						.map(({verb, label}) => <Ask key={verb} id={project.id} verb={verb} label={label}/>)}
					<App project={project}/>
				</div>
			)}
		</div>
	);
}

/** Of several sandboxes, the app of the first that runs. @param {{project: Project}} props */
function App({project: {sandboxes}}) {
	const sandbox = sandboxes.find(({status}) => status === "RUNNING");
	return sandbox ? <Outside href={sandbox.publicUrl}>Open app</Outside> : null;
}

/** @param {{id: string, verb: string, label: string}} props */
function Ask({id, verb, label}) {
	const action = useAction(() => callWithCare("POST", `/api/projects/${id}/${verb}`));
	return <Act action={action}>{label}</Act>;
}

/** In the trash, where it is only brought back. @param {{name: string, until: string}} props */
function Deleted({name, until}) {
	return (
		<section class="narrow">
			<Heading title={name}/>
			<p>This project is in the trash. It keeps its files and data, and goes for good <Time at={until}/>.{" "}
				<Link to="/trash">To the trash, from which it is restored</Link></p>
		</section>
	);
}

function Gone() {
	return (
		<section class="narrow">
			<Heading title="Nothing here"/>
			<p>There is no such project, or not any more. <Link to="/projects">To your projects</Link></p>
		</section>
	);
}
