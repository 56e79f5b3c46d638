import {useState} from "preact/hooks";
import {callWithCare, useAction} from "../../action.js";
import {ask} from "../../parts/ask.jsx";
import {Act, Button, Copy} from "../../parts/button.jsx";
import {Cause, Warnings} from "../../parts/cause.jsx";
import {may} from "../../parts/role.js";
import {Badge, runningSandbox} from "../../parts/status.jsx";

/** @param {{project: Project, reload: () => Promise<void>}} props */
export function DatabaseTab({project, reload}) {
	const stays = project.status !== "TERMINATING";
	if (project.databases.length === 0)
		return <section><h2>Database</h2><p>This project has none.</p>{stays && <Add project={project} reload={reload}/>}</section>;
	return project.databases.map((database) => (
		<section key={database.id}>
			<h2>Database <Badge status={database.status} trouble={database.cause !== null}/></h2>
			<Cause part={database} what="Database" tryNow={runningSandbox(project)}/>
			<Warnings part={database} what="Database"/>
			{database.host !== null && !may(project, "owner")
				? <p>Programs in the sandbox reach it by <code>DATABASE_URL</code>; its address with the password is shown to the owner.</p>
				: <Contents {...database}/>}
			{stays && may(project, "owner") && database.status !== "TERMINATING" && <Remove project={project} name={database.name} reload={reload}/>}
		</section>
	));
}

/** @param {Database} database */
function Contents(database) {
	if (database.status === "TERMINATING")
		return <p>It is being removed, with all that is in it.</p>;
	if (database.connectionUrl === null)
		return <p>{database.desired === "STOPPED" ? "It is made when the project is started." : "It is being made."}</p>;
	return <Connection {...database} url={database.connectionUrl}/>;
}

/** @param {{project: Project, reload: () => Promise<void>}} props */
function Add({project, reload}) {
	const add = useAction(async () => {
		const text = "Add a database? A sandbox that runs restarts once, when the database is ready, and gets DATABASE_URL. "
			+ "Files stay; processes end. In a stopped project it is made when the project is started.";
		if (!await ask({text, yes: "Add it"}))
			return false;
		const done = await callWithCare("POST", `/api/projects/${project.id}/database`);
		await reload();
		return done;
	});
	return (
		<>
			<p>A PostgreSQL database beside the sandbox, which reaches it by <code>DATABASE_URL</code>.</p>
			<Act action={add}>Add a database</Act>
		</>
	);
}

/** @param {{project: Project, name: string, reload: () => Promise<void>}} props */
function Remove({project, name, reload}) {
	const remove = useAction(async () => {
		const text = "Remove the database with all that is in it? The sandbox restarts without DATABASE_URL. "
			+ "Nothing of the data can be brought back.";
		if (!await ask({text, yes: "Remove it", typed: name}))
			return false;
		const done = await callWithCare("DELETE", `/api/projects/${project.id}/database`);
		await reload();
		return done;
	});
	return (
		<div class="danger">
			<h3>Remove</h3>
			<p>The database <code>{name}</code> goes with its data; the project and its files stay.</p>
			<Act action={remove} class="danger">Remove the database</Act>
		</div>
	);
}

/** @param {Database & {url: string}} props */
function Connection({host, port, database, username, storageSize, url}) {
	const [shown, setShown] = useState(false);
	const rows = [["Host", host], ["Port", port], ["Database", database], ["User", username], ["Storage", storageSize]];
	const masked = url.replace(/(:\/\/[^:]*:)[^@]*@/, "$1••••••••@");
	return (
		<>
			<dl>{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
			<p class="address">
				<code class="url">{shown ? url : masked}</code>{" "}
				<Button class="quiet" aria-pressed={shown} onClick={() => setShown(!shown)}>
					{shown ? "Hide the password" : "Show the password"}
				</Button>{" "}
				<Copy text={url} what="the connection URL, with the password"/>
			</p>
			<p class="address"><code>psql</code> in the terminal.{" "}
				<Copy text="psql" what="the psql line"/></p>
		</>
	);
}
