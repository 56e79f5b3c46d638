import {callWithCare} from "../action.js";
import {get} from "../api.js";
import {Field, Form} from "../parts/form.jsx";
import {Heading} from "../parts/heading.jsx";
import {Known, KubeconfigForm, Tested, useKubeconfig} from "../parts/kubeconfig.jsx";
import {Reading} from "../parts/reading.jsx";
import {useResource} from "../resource.js";
import {Clusters} from "./clusters.jsx";

export function Settings() {
	return (
		<>
			<Heading title="Settings"/>
			<ClusterAccess/>
			<Clusters/>
			<Ai/>
		</>
	);
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
