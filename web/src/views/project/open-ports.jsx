import {useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {call, post} from "../../api.js";
import {ask} from "../../parts/ask.jsx";
import {Act, Copy} from "../../parts/button.jsx";
import {Check, Field, Form} from "../../parts/form.jsx";
import {Outside} from "../../parts/link.jsx";
import {Time} from "../../parts/time.jsx";

const DAY_S = 86400;

/** The rows of a sandbox's ports. @param {string} project @param {string} sandbox */
const portsOf = (project, sandbox) => `/api/projects/${project}/sandboxes/${sandbox}/ports`;

/**
 * Ports besides the app's that the internet reaches, each at its own address.
 * @param {{project: string, sandbox: Sandbox, reload: () => Promise<void>}} props
 */
export function OpenPorts({project, sandbox, reload}) {
	const open = async (/** @type {Record<string, string>} */ {port, isPrivate}) => {
		const text = `Anybody on the internet will be able to connect to port ${port}.`;
		if (!isPrivate && !await ask({text, yes: "Open it"}))
			return false;
		await post(portsOf(project, sandbox.id), {port: Number(port), access: isPrivate ? "token" : "public"});
		await reload();
		return true;
	};
	return (
		<section>
			<h2>Open ports</h2>
			<p class="detail">Besides port 3000, each at an address of its own. A private one lets in only who works in the
				project, once logged in here, and those who have a link made here or a token for this sandbox.</p>
			{sandbox.ports.length > 0 && (
				<ul>
					{sandbox.ports.map((port) => (
						<OpenPort key={port.id} path={`${portsOf(project, sandbox.id)}/${port.id}`} port={port} reload={reload}/>
					))}
				</ul>
			)}
			<Form label="Open" submit={open}>
				<Field label="Port" name="port" type="number" min={1} max={65535} required autocomplete="off"/>
				<Check label="Private" name="isPrivate"/>
			</Form>
		</section>
	);
}

/** @param {{path: string, port: OpenPort, reload: () => Promise<void>}} props */
function OpenPort({path, port: {port, name, access, url}, reload}) {
	const close = useAction(async () => {
		await call("DELETE", path);
		await reload();
	});
	return (
		<li class="open-port">
			<code>{port}</code> {name} <Outside href={url}>{url}</Outside> {access !== "public" && "private"}{" "}
			<Act action={close} class="quiet" label={`Close port ${port}`}>Close</Act>
			{access !== "public" && <Links path={`${path}/links`} port={port}/>}
		</li>
	);
}

/** Links to a private port: each lets in whoever has it. @param {{path: string, port: number}} props */
function Links({path, port}) {
	const [link, setLink] = useState(/** @type {{url: string, expiresAt: string} | null} */ (null));
	const make = useAction(async () => setLink(await post(path, {expiresIn: DAY_S})));
	return (
		<>
			{" "}<Act action={make} class="quiet" label={`Make a link to port ${port}`}>Make a link</Act>
			{link && (
				<p role="status">
					<Outside href={link.url}>Open port {port}</Outside> <Copy text={link.url} what="the link"/> It lets in
					whoever has it, and expires <Time at={link.expiresAt}/>.
				</p>
			)}
		</>
	);
}
