// The words of causes and warnings are the API's.

import {useState} from "preact/hooks";
import {callWithCare, useAction} from "../action.js";
import {get} from "../api.js";
import {useResource} from "../resource.js";
import {Act} from "./button.jsx";
import {Link} from "./link.jsx";
import {Time, Until} from "./time.jsx";

/** Kinds of causes that another kubeconfig mends. */
const MENDED_IN_SETTINGS = new Set(["KUBE_UNAUTHORIZED", "KUBE_TLS", "KUBECONFIG"]);

/**
 * What keeps a sandbox or a database from its desired state: in the user's words, what to do, since
 * when, when it is tried again, and on demand what the cluster said.
 * @param {{part: Part, what: string, tryNow?: string}} props `tryNow`: the sandbox whose start makes it due
 */
export function Cause({part: {id, cause, projectId}, what, tryNow}) {
	const again = useAction(() => callWithCare("POST", `/api/projects/${projectId}/sandboxes/${tryNow}/start`));
	if (cause === null)
		return null;
	const {kind, code, message, headline, action, detail, since, nextAttemptAt} = cause;
	return (
		<div class="cause" role="group" aria-label={`What is wrong: ${what}`}>
			<p><strong>{what}: </strong>{headline ?? message}.</p>
			{action && <p>{action} {MENDED_IN_SETTINGS.has(kind) && <Link to="/settings">Open the settings</Link>}</p>}
			<p class="detail">
				Since <Time at={since}/>{nextAttemptAt && <>, next attempt <Until at={nextAttemptAt}/></>}.
				{tryNow !== undefined && <> <Act action={again} class="quiet" label={`Try now: ${what}`}>Try now</Act></>}
			</p>
			<details class="detail">
				<summary>What the cluster said</summary>
				<p><code>{code}</code> {detail ?? message}</p>
			</details>
			{kind === "POD_CRASH" && <CrashLog path={`/api/projects/${projectId}/sandboxes/${id}`} what={what}/>}
		</div>
	);
}

/** The last lines of a container that crashed, which may contain secrets: read when they are asked for. */
function CrashLog(/** @type {{path: string, what: string}} */ {path, what}) {
	const [open, setOpen] = useState(false);
	return (
		<details class="detail" onToggle={({currentTarget}) => setOpen(currentTarget.open)}>
			<summary>What it printed last</summary>
			{open && <LogLines path={path} what={what}/>}
		</details>
	);
}

/** @param {{path: string, what: string}} props */
function LogLines({path, what}) {
	const {data, loading, error} = useResource(() => get(path));
	const log = data?.cause?.log;
	if (loading)
		return <p>Loading …</p>;
	if (log === undefined)
		return <p>{error?.message ?? "Nothing that could be read: your kubeconfig needs the right to get pods/log."}</p>;
	return <pre tabIndex={0} role="region" aria-label={`Log: ${what}`}>{log.text}</pre>;
}

/** What is worth a word whatever the status is. @param {{part: {warnings: Warning[]}, what: string}} props */
export function Warnings({part: {warnings}, what}) {
	return warnings.map(({code, message, headline, action, since}) => (
		<div key={code} class="warning" role="group" aria-label={`Warning: ${what}`}>
			<p><strong>{what}: </strong>{headline ?? message}.</p>
			<p class="detail">{action} Since <Time at={since}/>.</p>
			<details class="detail">
				<summary>What was found</summary>
				<p><code>{code}</code> {message}</p>
			</details>
		</div>
	));
}
