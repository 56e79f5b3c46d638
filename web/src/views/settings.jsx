import {useRef, useState} from "preact/hooks";
import {callWithCare, useAction} from "../action.js";
import {call, get, post} from "../api.js";
import {Act} from "../parts/button.jsx";
import {Field, Form} from "../parts/form.jsx";
import {Heading} from "../parts/heading.jsx";
import {Reading} from "../parts/reading.jsx";
import {Time} from "../parts/time.jsx";
import {useResource} from "../resource.js";

export function Settings() {
	return (
		<>
			<Heading title="Settings"/>
			<ClusterAccess/>
			<Ai/>
		</>
	);
}

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

function ClusterAccess() {
	const stored = useKubeconfig();
	return (
		<section>
			<h2>Kubernetes access</h2>
			<Reading of={stored}>
				{(info) => (info === null
					? <p>None is stored yet: projects need one.</p>
					: <><Known info={info}/><Tested {...info.check} reload={stored.reload}/></>)}
			</Reading>
			<p>
				Your kubeconfig is sealed when it arrives: only the reconciler can read it, and this page never
				shows it again.
			</p>
			<KubeconfigForm reload={stored.reload}/>
		</section>
	);
}

/** @param {{info: Kubeconfig}} props */
function Known({info}) {
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

/** @param {Kubeconfig["check"] & {reload: () => Promise<void>}} props */
export function Tested({state, checkedAt, checks, reload}) {
	const again = useAction(async () => {
		await post("/api/user/config/kc/check");
		await reload();
	});
	return (
		<div class="checks">
			<ul>{checks.map((check) => <Found key={check.name} {...check}/>)}</ul>
			{state === "done"
				? <p class="detail">Tested <Time at={checkedAt ?? ""}/> <Act action={again}>Test again</Act></p>
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

/** By a file that is chosen or dropped, or as text. @param {{reload: () => Promise<void>}} props */
export function KubeconfigForm({reload}) {
	const [text, setText] = useState("");
	const [over, setOver] = useState(false);
	const chosen = useRef(/** @type {HTMLInputElement | null} */ (null));
	const take = async (/** @type {File | undefined} */ file) => setText(await file?.text() ?? "");
	const store = async () => {
		await call("PUT", "/api/user/config/kc", {kubeconfig: text});
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
		<Form label="Store" submit={store} class={over ? "over" : ""} onDrop={drop} onDragLeave={() => setOver(false)}
			onDragOver={(/** @type {DragEvent} */ event) => {
				event.preventDefault();
				setOver(true);
			}}>
			<label>
				<span>From a file, which you can also drop here</span>
				<input ref={chosen} type="file" onChange={({currentTarget}) => take(currentTarget.files?.[0])}/>
			</label>
			<label>
				<span>Kubeconfig</span>
				<textarea name="kubeconfig" rows={10} required spellcheck={false} autocomplete="off" value={text}
					placeholder={"apiVersion: v1\nkind: Config\n…"} onInput={({currentTarget}) => setText(currentTarget.value)}/>
			</label>
		</Form>
	);
}

const AI_FIELDS = /** @type {const} */ ([
	["apiBaseUrl", "Base URL"], ["model", "Model"], ["smallFastModel", "Small model"],
]);

/** The settings ANTHROPIC_…, which every sandbox has as variables. */
function Ai() {
	const stored = useResource(() => get("/api/user/config/anthropic"));
	const save = async (/** @type {Record<string, string>} */ values, /** @type {HTMLFormElement} */ form) => {
		const {apiKey, ...others} = values;
		const body = Object.fromEntries(Object.entries(others).map(([name, value]) => [name, value || null]));
		if (await callWithCare("PUT", "/api/user/config/anthropic", apiKey ? {...body, apiKey} : body) === false)
			return false;
		form.reset();
		await stored.reload();
	};
	return (
		<section>
			<h2>AI</h2>
			<p>For the agent in your sandboxes, as variables ANTHROPIC_…. Storing restarts the sandboxes that run.</p>
			<Reading of={stored}>
				{(known) => (
					<Form label="Store the AI settings" submit={save} key={JSON.stringify(known)}>
						<Field label="API key" name="apiKey" type="password" autocomplete="off" maxLength={1024}
							hint={known.apiKey ? "One is stored; empty: it stays." : "None is stored."}/>
						{AI_FIELDS.map(([name, label]) => (
							<Field key={name} label={label} name={name} maxLength={1024} autocomplete="off" defaultValue={known[name] ?? ""}/>
						))}
					</Form>
				)}
			</Reading>
		</section>
	);
}
