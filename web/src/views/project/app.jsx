import {useEffect, useRef, useState} from "preact/hooks";
import {Button} from "../../parts/button.jsx";
import {Outside} from "../../parts/link.jsx";
import {Reading} from "../../parts/reading.jsx";
import {useResource} from "../../resource.js";
import {AppControl} from "./app-control.jsx";
import {InSandbox} from "./in-sandbox.jsx";
import {OpenPorts} from "./open-ports.jsx";

/** @typedef {import("../../sandbox/access.js").Access} Access */
/** @typedef {{port: number, address: string, pid: number | null, program: string | null}} Port */

const APP_PORT = 3000;
const LOG_MAX = 200000; // characters that are kept on the page

/** @param {{project: Project, reload: () => Promise<void>}} props */
export function AppTab({project, reload}) {
	return (
		<InSandbox project={project} what="The app is">
			{(access, sandbox) => (
				<>
					<Ports access={access} url={sandbox.publicUrl}/>
					<AppControl access={access}/>
					<OpenPorts project={project.id} sandbox={sandbox} reload={reload}/>
					<Log access={access}/>
				</>
			)}
		</InSandbox>
	);
}

/** @param {{access: Access, url: string}} props */
function Ports({access, url}) {
	const ports = useResource(async () => {
		const answer = await access.request("/v1/ports");
		return /** @type {{ports: Port[]}} */ (await answer.json()).ports;
	});
	return (
		<section>
			<h2>App</h2>
			<Reading of={ports}>
				{(found) => {
					const app = found.find(({port}) => port === APP_PORT);
					const others = found.filter(({port}) => port !== APP_PORT);
					return (
						<>
							<p role="status">
								{app ? `${app.program ?? "A program"} listens on port ${APP_PORT}.`
									: `Nothing listens on port ${APP_PORT}, which the application's address leads to.`}
							</p>
							{app && <Preview url={url}/>}
							{others.length > 0 && <Others ports={others}/>}
						</>
					);
				}}
			</Reading>
			<Button class="quiet" onClick={ports.reload}>Look again</Button>
		</section>
	);
}

/** @param {{url: string}} props */
function Preview({url}) {
	const [round, setRound] = useState(0);
	return (
		<>
			<p class="actions">
				<Outside href={url}>Open application</Outside>
				<Button onClick={() => setRound(round + 1)}>Reload the preview</Button>
			</p>
			<iframe key={round} class="preview" src={url} title="Preview of the application"
				sandbox="allow-scripts allow-forms allow-same-origin allow-popups"/>
		</>
	);
}

/** @param {{ports: Port[]}} props */
function Others({ports}) {
	return (
		<>
			<h3>Other ports</h3>
			<ul>
				{ports.map(({port, address, program}) => (
					<li key={`${address} ${port}`}><code>{address}:{port}</code> {program}</li>
				))}
			</ul>
			<p class="detail">To reach one from your own machine: <code>fsa forward</code>.</p>
		</>
	);
}

/** What the app prints, as it comes. @param {{access: Access}} props */
function Log({access}) {
	const [text, setText] = useState("");
	const [missing, setMissing] = useState(false);
	const end = useRef(/** @type {HTMLPreElement | null} */ (null));
	useEffect(() => {
		const stop = new AbortController();
		follow(access, stop.signal, (more) => setText((old) => (old + more).slice(-LOG_MAX)), setMissing);
		return () => stop.abort();
	}, [access]);
	useEffect(() => {
		const pre = end.current;
		if (pre && pre.scrollHeight - pre.scrollTop - pre.clientHeight < 200)
			pre.scrollTop = pre.scrollHeight;
	}, [text]);
	return (
		<section>
			<h2>Log</h2>
			{missing
				? <p>There is none yet: the app has not been started.</p>
				: <pre ref={end} class="log" tabIndex={0} role="region" aria-label="Log of the app">{text}</pre>}
		</section>
	);
}

/**
 * @param {Access} access
 * @param {AbortSignal} signal
 * @param {(more: string) => void} show
 * @param {(missing: boolean) => void} tellMissing
 */
async function follow(access, signal, show, tellMissing) {
	const decoder = new TextDecoder();
	let offset = 0;
	while (!signal.aborted) {
		try {
			const answer = await access.request(`/v1/logs/app?offset=${offset}&wait=20`, {signal});
			show(decoder.decode(await answer.arrayBuffer(), {stream: true}));
			offset = Number(answer.headers.get("Output-Next") ?? offset);
			tellMissing(false);
			if (answer.headers.get("Output-End") !== "true")
				continue;
		} catch (/** @type {any} */ error) {
			tellMissing(error.status === 404);
			offset = error.status === 404 ? 0 : offset;
		}
		await new Promise((resolve) => setTimeout(resolve, 3000));
	}
}
