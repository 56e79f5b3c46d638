// A stored kubeconfig: what is known of it, what its test has found, and the form that stores one.

import {useRef, useState} from "preact/hooks";
import {useAction} from "../action.js";
import {call, get, post} from "../api.js";
import {useResource} from "../resource.js";
import {Act} from "./button.jsx";
import {Form} from "./form.jsx";
import {Time} from "./time.jsx";

/** What may be known of the stored kubeconfig; null when there is none. @returns {Promise<Kubeconfig | null>} */
const readKubeconfig = () => get("/api/user/config/kc").catch((error) => {
	if (error.status !== 404)
		throw error;
	return null;
});

export function useKubeconfig() {
	return useResource(readKubeconfig, {
		hear: ({name}, old) => (name === "kubeconfig" ? undefined : old),
		moving: (stored) => stored !== null && stored.check.state !== "done",
	});
}

/** @param {{info: Kubeconfig}} props */
export function Known({info}) {
	const rows = [["Server", info.server], ["Namespace", info.namespace], ["User", info.account]];
	return (
		<dl>
			{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
			<div>
				<dt>Expires</dt>
				<dd>{info.expiresAt === null ? "it does not say when"
					: <span class={info.expired ? "failure" : ""}><Time at={info.expiresAt}/></span>}</dd>
			</div>
		</dl>
	);
}

/** @param {Kubeconfig["check"] & {reload: () => Promise<void>, of?: string, path?: string}} props `of`: another cluster than the default one */
export function Tested({state, checkedAt, checks, reload, of, path = "/api/user/config/kc"}) {
	const again = useAction(async () => {
		await post(`${path}/check`);
		await reload();
	});
	return (
		<div class="checks">
			<ul>{checks.map((check) => <Found key={check.name} {...check}/>)}</ul>
			{state === "done"
				? <p class="detail">Tested <Time at={checkedAt ?? ""}/> <Act action={again} label={of && `Test ${of} again`}>Test again</Act></p>
				: <p class="detail" role="status">It is being tested, at most once a minute.</p>}
		</div>
	);
}

const RESULTS = /** @type {Record<string, string>} */ ({ok: "Well", warning: "Warning", failed: "Failed", unknown: "Not known"});

/** What was found, in the user's words, what to do, and on demand what the cluster said. @param {Finding} props */
function Found({name, status, code, headline, action, detail}) {
	return (
		<li data-name={name} data-status={status}>
			<p><span class="unseen">{RESULTS[status]}: </span>{headline}.</p>
			{action && <p class="detail">{action}</p>}
			{detail && (
				<details class="detail">
					<summary>What the cluster said</summary>
					<p><code>{code}</code> {detail}</p>
				</details>
			)}
		</li>
	);
}

/** Stores it for the default cluster. @param {string} kubeconfig */
const putDefault = (kubeconfig) => call("PUT", "/api/user/config/kc", {kubeconfig});

/**
 * By a file that is chosen or dropped, or as text; `children` are fields before it, whose values `put` gets as well.
 * `of`: another cluster than the default one.
 * @param {{reload: () => Promise<void>, of?: string, label?: string, children?: any, cancel?: () => void,
 *	put?: (kubeconfig: string, values: Record<string, string>) => Promise<any>}} props
 */
export function KubeconfigForm({reload, of, label = "Store", children, cancel, put = putDefault}) {
	const [text, setText] = useState("");
	const [over, setOver] = useState(false);
	const chosen = useRef(/** @type {HTMLInputElement | null} */ (null));
	const take = async (/** @type {File | undefined} */ file) => setText(await file?.text() ?? "");
	const store = async (/** @type {Record<string, string>} */ values) => {
		await put(text, values);
		setText("");
		if (chosen.current)
			chosen.current.value = "";
		await reload();
	};
	const drop = (/** @type {DragEvent} */ event) => {
		event.preventDefault();
		setOver(false);
		take(event.dataTransfer?.files[0]);
	};
	return (
		<Form label={label} submit={store} cancel={cancel} class={over ? "over" : ""} onDrop={drop} onDragLeave={() => setOver(false)}
			onDragOver={(/** @type {DragEvent} */ event) => {
				event.preventDefault();
				setOver(true);
			}}>
			{children}
			<label>
				<span>{of && `Kubeconfig of ${of}, `}{of ? "from" : "From"} a file, which you can also drop here</span>
				<input ref={chosen} type="file" onChange={({currentTarget}) => take(currentTarget.files?.[0])}/>
			</label>
			<label>
				<span>Kubeconfig{of && ` of ${of}`}</span>
				<textarea name="kubeconfig" rows={10} required spellcheck={false} autocomplete="off" value={text}
					placeholder={"apiVersion: v1\nkind: Config\n…"} onInput={({currentTarget}) => setText(currentTarget.value)}/>
			</label>
		</Form>
	);
}
