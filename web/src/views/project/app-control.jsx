import {useAction} from "../../action.js";
import {Act} from "../../parts/button.jsx";
import {Reading} from "../../parts/reading.jsx";
import {useResource} from "../../resource.js";

/** @typedef {import("../../sandbox/access.js").Access} Access */
/**
 * @typedef {{status: "none" | "waiting" | "running" | "stopping" | "stopped" | "crashed", command: string | null,
 *	source: string | null, folder: string, restarts: number, exitCode: number | null, signal: string | null}} App
 */

const EVERY_MS = 3000;

/** The app's command, which sandboxd keeps running. @param {{access: Access}} props */
export function AppControl({access}) {
	const app = useResource(async () => /** @type {App} */ (await (await access.request("/v1/app")).json()),
		{deps: [access], every: EVERY_MS});
	const request = async (/** @type {string} */ action) => {
		await access.request(`/v1/app/${action}`, {method: "POST"});
		await app.reload();
	};
	const start = useAction(() => request("start"));
	const stop = useAction(() => request("stop"));
	const restart = useAction(() => request("restart"));
	return (
		<section aria-label="Control">
			<Reading of={app}>
				{(found) => (
					<>
						<p role="status">{sentence(found)}</p>
						{found.command !== null && <p class="detail"><code>{found.command}</code> in <code>{found.folder}</code>, from {found.source}.</p>}
						{found.status !== "none" && (
							<p class="actions">
								{["stopped", "crashed"].includes(found.status) && <Act action={start}>Start the app</Act>}
								{["running", "waiting", "crashed"].includes(found.status) && <Act action={stop}>Stop the app</Act>}
								{found.status === "running" && <Act action={restart}>Restart the app</Act>}
							</p>
						)}
					</>
				)}
			</Reading>
		</section>
	);
}

/** @param {App} app */
function sentence({status, exitCode, signal, restarts}) {
	switch (status) {
	case "running": return restarts > 0 ? `The app runs; it was started again ${restarts === 1 ? "once" : `${restarts} times`}.` : "The app runs.";
	case "waiting": return "The app starts when the repository is imported.";
	case "stopping": return "The app is being stopped.";
	case "stopped": return "The app is stopped. It starts with the sandbox, or here.";
	case "crashed": return `The app ended with ${signal === null ? `code ${exitCode}` : `signal ${signal}`}, and is started again in a moment.`;
	default: return "There is no command that the sandbox could keep running: set the variable FSA_APP_COMMAND, or write a Procfile with a line “web: COMMAND”, or a package.json with the script “start”.";
	}
}
