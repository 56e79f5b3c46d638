// What was deleted and can still be brought back.

import {useState} from "preact/hooks";
import {useAction} from "../action.js";
import {get, post} from "../api.js";
import {ask} from "../parts/ask.jsx";
import {Act} from "../parts/button.jsx";
import {Field, Form} from "../parts/form.jsx";
import {Heading} from "../parts/heading.jsx";
import {Link} from "../parts/link.jsx";
import {Reading} from "../parts/reading.jsx";
import {Time} from "../parts/time.jsx";
import {useResource} from "../resource.js";
import {navigate} from "../router.js";

export function Trash() {
	const list = useResource(() => /** @type {Promise<Project[]>} */ (get("/api/projects?trash=true")));
	return (
		<>
			<Heading title="Trash"/>
			<p>Projects in the trash are stopped and keep their files and data, until they go for good. <Link to="/projects">To your projects</Link></p>
			<Reading of={list}>
				{(projects) => (projects.length === 0
					? <p>The trash is empty.</p>
					: <ul class="projects">{projects.map((project) => <Row key={project.id} project={project} reload={list.reload}/>)}</ul>)}
			</Reading>
		</>
	);
}

/** @param {{project: Project, reload: () => Promise<void>}} props */
function Row({project: {id, name, trashUntil}, reload}) {
	const [taken, setTaken] = useState(false);
	const bringBack = async (/** @type {{name?: string}} */ as) => {
		await post(`/api/projects/${id}/restore`, as);
		navigate(`/projects/${id}`);
	};
	const restore = useAction(() => bringBack({}).catch((error) => {
		setTaken(error.code === "PROJECT_EXISTS");
		throw error;
	}));
	const remove = useAction(async () => {
		if (!await ask({text: "Delete this project, its files and its database for ever?", yes: "Delete it for ever", typed: name}))
			return false;
		await post(`/api/projects/${id}/delete`, {permanent: true});
		await reload();
	});
	return (
		<li>
			<bdi>{name}</bdi>
			<span class="detail">goes {trashUntil && <Time at={trashUntil}/>}</span>
			<span class="actions">
				<Act action={restore} label={`Restore ${name}`}>Restore</Act>
				<Act action={remove} class="danger" label={`Delete ${name} for ever`}>Delete for ever</Act>
			</span>
			{taken && (
				<Form label={`Restore ${name} under another name`} cancel={() => setTaken(false)}
					submit={(values) => bringBack({name: values.name.trim()})}>
					<Field label="Another name" name="name" required maxLength={64} autocomplete="off" autofocus/>
				</Form>
			)}
		</li>
	);
}
