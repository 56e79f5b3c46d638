import {openSandbox} from "../../sandbox/access.js";
import {query, setQuery} from "../../router.js";
import {moves, sentence} from "../../parts/status.jsx";

/**
 * What needs a sandbox that runs: of several, the one that is chosen.
 *
 * @param {{project: Project, what: string, children: (access: import("../../sandbox/access.js").Access,
 *	sandbox: Sandbox) => any}} props `what`: "Files are" there while it runs
 */
export function InSandbox({project, what, children}) {
	const running = project.sandboxes.filter(({status}) => status === "RUNNING");
	const wanted = query.value.get("sandbox");
	const sandbox = running.find(({id}) => id === wanted) ?? running[0];
	if (sandbox === undefined)
		return <section><p>{what} here while the sandbox runs. {moves(project.status) ? sentence(project.status) : "Start the project first."}</p></section>;
	return (
		<>
			{project.sandboxes.length > 1 && (
				<label class="inline">Sandbox{" "}
					<select value={sandbox.id} onChange={({currentTarget}) => setQuery("sandbox", currentTarget.value)}>
						{running.map(({id, displayName, name}) => <option key={id} value={id}>{displayName ?? name}</option>)}
					</select>
				</label>
			)}
			<div key={sandbox.id}>{children(openSandbox(project.id, sandbox.id), sandbox)}</div>
		</>
	);
}
