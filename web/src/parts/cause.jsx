// The words of causes and warnings are the API's.

import {callWithCare, useAction} from "../action.js";
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
export function Cause({part: {cause, projectId}, what, tryNow}) {
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
		</div>
	);
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
