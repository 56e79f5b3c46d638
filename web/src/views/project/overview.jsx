import {useAction} from "../../action.js";
import {get, post} from "../../api.js";
import {Act, Copy} from "../../parts/button.jsx";
import {Cause, Warnings} from "../../parts/cause.jsx";
import {Link, Outside} from "../../parts/link.jsx";
import {Reading} from "../../parts/reading.jsx";
import {may} from "../../parts/role.js";
import {Stages} from "../../parts/stages.jsx";
import {Badge, runningSandbox} from "../../parts/status.jsx";
import {useResource} from "../../resource.js";
import {Events} from "./history.jsx";
import {ImportOf} from "./import.jsx";
import {UsageOf} from "./usage.jsx";

/** @param {{project: Project}} props */
export function Overview({project}) {
	const [first, ...others] = project.sandboxes;
	const acts = may(project, "editor");
	return (
		<>
			{project.description && <p class="description">{project.description}</p>}
			{project.cluster !== "default" && <p class="detail">In the cluster <bdi>{project.cluster}</bdi>.</p>}
			<Warnings part={project} what="Project"/>
			{project.idleStopsAt && acts && <Keep project={project}/>}
			{first && <SandboxCard project={project} sandbox={first} title="Sandbox"/>}
			{others.map((sandbox) => (
				<SandboxCard key={sandbox.id} project={project} sandbox={sandbox} title={sandbox.displayName ?? sandbox.name} several/>
			))}
			{project.databases.map((database) => (database.cause || database.warnings.length > 0) && (
				<section key={database.id}>
					<Cause part={database} what="Database" tryNow={acts ? runningSandbox(project) : undefined}/>
					<Warnings part={database} what="Database"/>
				</section>
			))}
			<Recent project={project}/>
		</>
	);
}

/** Ends the countdown of a project in which nothing happens. @param {{project: Project}} props */
function Keep({project}) {
	const keep = useAction(() => post(`/api/projects/${project.id}/keep`, {hours: 8}));
	return <p class="actions"><Act action={keep}>Keep it running for 8 hours</Act></p>;
}

/** @param {{project: Project, sandbox: Sandbox, title: string, several?: boolean}} props */
function SandboxCard({project, sandbox, title, several = false}) {
	const acts = may(project, "editor");
	return (
		<section aria-label={title}>
			{several && <h2><bdi>{title}</bdi> <Badge status={sandbox.status}/></h2>}
			<Cause part={sandbox} what={title} tryNow={acts && sandbox.desired === "RUNNING" ? sandbox.id : undefined}/>
			<Warnings part={sandbox} what={title}/>
			{sandbox.progress && <Stages stages={sandbox.progress.stages}/>}
			{sandbox.status === "RUNNING" && (
				<>
					<Addresses {...sandbox} enters={acts} of={several ? title : undefined}/>
					{acts && <ImportOf sandbox={sandbox}/>}
					<UsageOf sandbox={sandbox} role={project.role}/>
				</>
			)}
		</section>
	);
}

/**
 * @param {{ttydUrl: string, publicUrl: string, enters: boolean, of?: string}} props `of`: whose they are, where there
 *	are several
 */
function Addresses({ttydUrl, publicUrl, enters, of}) {
	const label = (/** @type {string} */ words) => (of === undefined ? undefined : `${words}: ${of}`);
	const whose = of === undefined ? "" : ` of ${of}`;
	return (
		<>
			<p class="actions">
				{enters && <Outside href={ttydUrl} aria-label={label("Open terminal")}>Open terminal</Outside>}
				<Outside href={publicUrl} aria-label={label("Open application")}>Open application</Outside>
			</p>
			<p class="address">
				<code>{publicUrl}</code> <Copy text={publicUrl} what={`the application's address${whose}`}/>
			</p>
		</>
	);
}

/** @param {{project: Project}} props */
function Recent({project}) {
	const events = useResource(() => get(`/api/projects/${project.id}/events?limit=5`), {
		deps: [project.id], hear: ({name, data}, old) => (name !== "kubeconfig" && data.id === project.id ? undefined : old),
	});
	return (
		<section>
			<h2>What happened last</h2>
			<Reading of={events}>{({items}) => <Events items={items}/>}</Reading>
			<p><Link to={`/projects/${project.id}/history`}>The whole history</Link></p>
		</section>
	);
}
