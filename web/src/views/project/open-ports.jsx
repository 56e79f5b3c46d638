import {useAction} from "../../action.js";
import {call, post} from "../../api.js";
import {ask} from "../../parts/ask.jsx";
import {Act} from "../../parts/button.jsx";
import {Field, Form} from "../../parts/form.jsx";
import {Outside} from "../../parts/link.jsx";

/** The rows of a sandbox's ports. @param {string} project @param {string} sandbox */
const portsOf = (project, sandbox) => `/api/projects/${project}/sandboxes/${sandbox}/ports`;

/**
 * Ports besides the app's that the internet reaches, each at its own address.
 * @param {{project: string, sandbox: Sandbox, reload: () => Promise<void>}} props
 */
export function OpenPorts({project, sandbox, reload}) {
	const open = async (/** @type {Record<string, string>} */ {port}) => {
		const text = `Anybody on the internet will be able to connect to port ${port}.`;
		if (!await ask({text, yes: "Open it"}))
			return false;
		await post(portsOf(project, sandbox.id), {port: Number(port), access: "public"});
		await reload();
		return true;
	};
	return (
		<section>
			<h2>Open ports</h2>
			<p class="detail">Besides port 3000, each at an address of its own.</p>
			{sandbox.ports.length > 0 && (
				<ul>
					{sandbox.ports.map((port) => (
						<OpenPort key={port.id} path={`${portsOf(project, sandbox.id)}/${port.id}`} port={port} reload={reload}/>
					))}
				</ul>
			)}
			<Form label="Open" submit={open}>
				<Field label="Port" name="port" type="number" min={1} max={65535} required autocomplete="off"/>
			</Form>
		</section>
	);
}

/** @param {{path: string, port: OpenPort, reload: () => Promise<void>}} props */
function OpenPort({path, port: {port, name, url}, reload}) {
	const close = useAction(async () => {
		await call("DELETE", path);
		await reload();
	});
	return (
		<li>
			<code>{port}</code> {name} <Outside href={url}>{url}</Outside>{" "}
			<Act action={close} class="quiet" label={`Close port ${port}`}>Close</Act>
		</li>
	);
}
