// Clusters besides the default one, which is the kubeconfig of the settings.

import {useState} from "preact/hooks";
import {useAction} from "../action.js";
import {call, get, post} from "../api.js";
import {Act, Button} from "../parts/button.jsx";
import {Dialog} from "../parts/dialog.jsx";
import {Field} from "../parts/form.jsx";
import {Known, KubeconfigForm, Tested} from "../parts/kubeconfig.jsx";
import {Reading} from "../parts/reading.jsx";
import {Time} from "../parts/time.jsx";
import {useResource} from "../resource.js";

const DEFAULT = "default";

/** All clusters of the user, the default one first. */
export function useClusters() {
	return useResource(async () => /** @type {Cluster[]} */ ((await get("/api/clusters")).items), {
		hear: ({name}, old) => (name === "kubeconfig" ? undefined : old),
		moving: (clusters) => clusters.some(({check}) => check.state !== "done"),
	});
}

export function Clusters() {
	const list = useClusters();
	const [adding, setAdding] = useState(false);
	return (
		<section class="clusters">
			<h2>Other clusters</h2>
			<p>A project is in the cluster above, unless you choose another one when you create it.</p>
			<Reading of={list}>
				{(clusters) => clusters.filter(({name}) => name !== DEFAULT).map((cluster) => (
					<Row key={cluster.id} cluster={cluster} reload={list.reload}/>
				))}
			</Reading>
			<Button onClick={() => setAdding(true)}>Add a cluster</Button>
			{adding && <NewCluster close={() => setAdding(false)} reload={list.reload}/>}
		</section>
	);
}

/** @param {{cluster: Cluster, reload: () => Promise<void>}} props */
function Row({cluster, reload}) {
	const {id, name, region, projects, awaySince, check} = cluster;
	const path = `/api/clusters/${id}`;
	const remove = useAction(async () => {
		await call("DELETE", path);
		await reload();
	});
	return (
		<section aria-label={name} data-cluster={name}>
			<h3><bdi>{name}</bdi>{region && <span class="detail"> {region}</span>}</h3>
			<p class="detail">{projects === 1 ? "1 project is" : `${projects} projects are`} in it.</p>
			{awaySince && <p class="warning">It has not been reached since <Time at={awaySince}/>.</p>}
			<Known info={cluster}/>
			<Tested {...check} reload={reload} of={name} path={path}/>
			<details>
				<summary>Replace the kubeconfig of {name}</summary>
				<KubeconfigForm reload={reload} of={name} label={`Store for ${name}`}
					put={(kubeconfig) => call("PUT", path, {kubeconfig})}/>
			</details>
			{projects === 0 && <Act action={remove} label={`Remove ${name}`}>Remove</Act>}
		</section>
	);
}

/** @param {{close: () => void, reload: () => Promise<void>}} props */
function NewCluster({close, reload}) {
	const put = (/** @type {string} */ kubeconfig, /** @type {Record<string, string>} */ {name, region}) => (
		post("/api/clusters", {name, region: region || null, kubeconfig})
	);
	const done = async () => {
		close();
		await reload();
	};
	return (
		<Dialog label="Add a cluster" onClose={close}>
			<h2>Add a cluster</h2>
			<KubeconfigForm reload={done} label="Add" cancel={close} put={put}>
				<Field label="Name" name="name" required maxLength={32} pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?" autocomplete="off"
					autofocus hint="Small letters, digits and hyphens"/>
				<Field label="Region" name="region" maxLength={64} autocomplete="off" hint="Where it is, if you like"/>
			</KubeconfigForm>
		</Dialog>
	);
}

/** A choice of a cluster, when there are several. */
export function ClusterChoice() {
	const {data} = useClusters();
	if (data === undefined || data.length < 2)
		return null;
	return (
		<label>
			<span>Cluster</span>
			<select name="cluster">
				{data.map(({id, name, region, awaySince}) => (
					<option key={id} value={name}>{name}{region && `, ${region}`}{awaySince && ", cannot be reached"}</option>
				))}
			</select>
		</label>
	);
}
