import {Reading} from "../../parts/reading.jsx";
import {useResource} from "../../resource.js";
import {openSandbox} from "../../sandbox/access.js";

/**
 * @typedef {{status: "none" | "cloning" | "installing" | "done" | "failed", message: string | null, url: string | null,
 *	branch: string | null, folder: string | null}} Import
 */

const UNDER_WAY = ["cloning", "installing"];

/** The import of the project's repository, until it is done. @param {{sandbox: Sandbox}} props */
export function ImportOf({sandbox: {id, projectId}}) {
	const found = useResource(async () => {
		const answer = await openSandbox(projectId, id).request("/v1/import");
		return /** @type {Import} */ (await answer.json());
	}, {deps: [id], moving: ({status}) => UNDER_WAY.includes(status)});
	if (found.data === undefined)
		return null; // what the sandbox uses is shown beside it, and says that the sandbox cannot be asked
	return <Reading of={found}>{(data) => <State {...data}/>}</Reading>;
}

/** @param {Import} props */
function State({status, message, url, branch, folder}) {
	const what = <><code>{url}</code>{branch && <> (<code>{branch}</code>)</>}</>;
	switch (status) {
	case "cloning":
		return <p role="status">Cloning {what} into <code>~/{folder}</code>…</p>;
	case "installing":
		return <p role="status"><code>~/{folder}</code> is cloned; its packages are being installed…</p>;
	case "failed":
		return (
			<p class="warning">
				<strong>The repository could not be imported:</strong> {message}. It was {what}; <code>fsa logs</code> has
				the output as the log <code>import</code>.
			</p>
		);
	default:
		return null;
	}
}
