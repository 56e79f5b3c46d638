import {useState} from "preact/hooks";
import {Button, Copy} from "../../parts/button.jsx";
import {Cause, Warnings} from "../../parts/cause.jsx";
import {Badge} from "../../parts/status.jsx";

/** @param {{project: Project}} props */
export function DatabaseTab({project}) {
	if (project.databases.length === 0)
		return <section><h2>Database</h2><p>This project has none.</p></section>;
	return project.databases.map((database) => (
		<section key={database.id}>
			<h2>Database <Badge status={database.status} trouble={database.cause !== null}/></h2>
			<Cause part={database} what="Database"/>
			<Warnings part={database} what="Database"/>
			{database.connectionUrl === null ? <p>It is being made.</p> : <Connection {...database} url={database.connectionUrl}/>}
		</section>
	));
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
