import {useState} from "preact/hooks";
import {get, post} from "../api.js";
import {Dialog} from "../parts/dialog.jsx";
import {Check, Field, Form} from "../parts/form.jsx";
import {ImageChoice, SizeChoice, TemplateChoice, useImages, useSizes, useTemplates} from "../parts/offers.jsx";
import {useResource} from "../resource.js";
import {navigate} from "../router.js";
import {ClusterChoice} from "./clusters.jsx";

const NAME = /^[A-Za-z]([A-Za-z0-9 -]*[A-Za-z0-9])?$/;
const RULE = "Letters, digits, spaces and hyphens, beginning with a letter";

/** The limit of projects, when it is reached; without an answer the API still says so. */
function useFull() {
	const {data} = useResource(() => get("/api/user/limits"));
	const projects = data?.items.find((/** @type {{kind: string}} */ {kind}) => kind === "projects");
	const full = projects && projects.limit !== null && projects.used >= projects.limit;
	return full ? /** @type {number} */ (projects.limit) : null;
}

/** @param {Record<string, string>} values */
async function create(values) {
	const project = await post("/api/projects", {
		name: values.name.trim(),
		description: values.description || null,
		database: "database" in values,
		...values.template && {template: values.template},
		...values.size && {size: values.size},
		...values.image && {image: values.image.trim()},
		...values.url && {repository: {url: values.url.trim(), ...values.branch && {branch: values.branch.trim()}}},
		...values.cluster && {cluster: values.cluster},
	});
	navigate(`/projects/${project.id}`);
}

/** @param {{close: () => void}} props */
export function NewProject({close}) {
	const limit = useFull();
	const sizes = useSizes(), images = useImages(), templates = useTemplates();
	const [name, setName] = useState("");
	const wrong = name !== "" && !NAME.test(name.trim());
	return (
		<Dialog label="New project" onClose={close}>
			<h2>New project</h2>
			{limit !== null && (
				<p class="warning">
					Your limit of {limit} projects is reached: delete one first, or ask the site's administrator
					for more. One that is being deleted counts until it is gone.
				</p>
			)}
			<Form label="Create" submit={create} cancel={close} disabled={limit !== null}>
				<Field label="Name" name="name" required maxLength={64} autocomplete="off" autofocus
					aria-invalid={wrong} hint={<span class={wrong ? "failure" : ""}>{RULE}</span>}
					onInput={(/** @type {any} */ {currentTarget}) => setName(currentTarget.value)}/>
				<Field label="Description" name="description" maxLength={2000} autocomplete="off"/>
				<ClusterChoice/>
				{templates !== undefined && <TemplateChoice templates={templates}/>}
				{sizes !== undefined && sizes.length > 0 && <SizeChoice sizes={sizes}/>}
				{images !== undefined && <ImageChoice images={images}/>}
				<Field label="Git repository" name="url" type="url" maxLength={500} autocomplete="off"
					pattern="https://.*" hint="An https:// address, to be cloned into it, and its packages installed"/>
				<Field label="Branch" name="branch" maxLength={200} autocomplete="off" hint="The repository’s own if left empty"/>
				<Check label="with a PostgreSQL database" name="database" defaultChecked/>
			</Form>
		</Dialog>
	);
}
