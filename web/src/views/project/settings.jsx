import {callWithCare, useAction} from "../../action.js";
import {call, post} from "../../api.js";
import {ask} from "../../parts/ask.jsx";
import {Act} from "../../parts/button.jsx";
import {Field, Form} from "../../parts/form.jsx";
import {ImageChoice, SizeChoice, useImages, useSizes} from "../../parts/offers.jsx";
import {may} from "../../parts/role.js";
import {Time} from "../../parts/time.jsx";
import {navigate} from "../../router.js";

/** @param {{project: Project, reload: () => Promise<void>}} props */
export function ProjectSettings({project, reload}) {
	const save = async (/** @type {Record<string, string>} */ {name, description}) => {
		await call("PATCH", `/api/projects/${project.id}`, {name: name.trim(), description: description || null});
		await reload();
	};
	return (
		<>
			<section>
				<h2>Name and description</h2>
				<Form label="Save" submit={save}>
					<Field label="Name" name="name" required maxLength={64} defaultValue={project.name} autocomplete="off"
						hint="Letters, digits, spaces and hyphens, beginning with a letter"/>
					<label>
						<span>Description</span>
						<textarea name="description" class="prose" rows={3} maxLength={2000} defaultValue={project.description ?? ""}/>
					</label>
				</Form>
			</section>
			{project.status !== "TERMINATING" && (
				<>
					{project.sandboxes.map((sandbox) => (
						<Shape key={sandbox.id} id={project.id} sandbox={sandbox} reload={reload}/>
					))}
					<Idle project={project} reload={reload}/>
					<WokenBy project={project} reload={reload}/>
					{may(project, "owner") && <Lifetime project={project} reload={reload}/>}
					{may(project, "owner") && <Danger {...project}/>}
				</>
			)}
		</>
	);
}

/**
 * Size and image of one sandbox, where the site offers some.
 * @param {{id: string, sandbox: Sandbox, reload: () => Promise<void>}} props
 */
function Shape({id, sandbox, reload}) {
	const sizes = useSizes(), images = useImages();
	const change = async (/** @type {{size: string | null} | {image: string | null}} */ body) => {
		const text = "The sandbox starts anew: its files stay, and what runs in it ends.";
		if (sandbox.desired === "RUNNING" && !await ask({text, yes: "Apply and restart"}))
			return false;
		const done = await callWithCare("PATCH", `/api/projects/${id}/sandboxes/${sandbox.id}`, body);
		await reload();
		return done;
	};
	const whose = sandbox.displayName ? ` of ${sandbox.displayName}` : "";
	return (
		<>
			{sizes !== undefined && sizes.length > 0 && (
				<section>
					<h2><bdi>Size{whose}</bdi></h2>
					<p class="detail">{sandbox.cpuLimit} CPU, {sandbox.memoryLimit} memory</p>
					<Form label={`Change the size${whose}`} submit={({size}) => change({size: size || null})}>
						<SizeChoice sizes={sizes} value={sandbox.size} label={`Size${whose}`}/>
					</Form>
				</section>
			)}
			{images !== undefined && (
				<section>
					<h2><bdi>Image{whose}</bdi></h2>
					<p class="detail"><bdi>{sandbox.runtimeImage}</bdi></p>
					<Form label={`Change the image${whose}`} submit={({image}) => change({image: image.trim() || null})}>
						<ImageChoice images={images} value={sandbox.image} label={`Image${whose}`}/>
					</Form>
				</section>
			)}
		</>
	);
}

const IDLE_TIMES = /** @type {[string, string][]} */ ([
	["", "as the site says"], ["0", "never"], ["30", "after 30 minutes"], ["60", "after an hour"], ["240", "after 4 hours"],
	["480", "after 8 hours"], ["1440", "after a day"],
]);

/** When it is stopped because nothing happens in it. @param {{project: Project, reload: () => Promise<void>}} props */
function Idle({project, reload}) {
	const change = async (/** @type {Record<string, string>} */ {minutes}) => {
		await call("PUT", `/api/projects/${project.id}/idle`, {minutes: minutes === "" ? null : Number(minutes)});
		await reload();
	};
	const chosen = project.idleMinutes === null ? "" : String(project.idleMinutes);
	const known = IDLE_TIMES.some(([value]) => value === chosen);
	return (
		<section>
			<h2>Stop when idle</h2>
			<p>Input is activity, and so is a program that works; an open page is none. Files and data stay.</p>
			<Form label="Change when it stops" submit={change}>
				<label>
					<span>Stops</span>
					<select name="minutes">
						{!known && <option value={chosen} selected>after {chosen} minutes</option>}
						{IDLE_TIMES.map(([value, words]) => (
							<option key={value} value={value} selected={value === chosen}>{words}</option>
						))}
					</select>
				</label>
			</Form>
		</section>
	);
}

const WAKERS = /** @type {[string, string][]} */ ([
	["owner", "its owner, logged in here"], ["members", "its owner and members, logged in here"], ["anyone", "anybody"], ["never", "nobody"],
]);

/** Whose visit starts it when it is stopped. @param {{project: Project, reload: () => Promise<void>}} props */
function WokenBy({project, reload}) {
	const change = async (/** @type {Record<string, string>} */ {wake}) => {
		await call("PATCH", `/api/projects/${project.id}`, {wake});
		await reload();
	};
	return (
		<section>
			<h2>Start by a visit</h2>
			<p>Where this site is set up for it, the addresses of a stopped sandbox lead here, and opening one starts it.</p>
			<Form label="Change who starts it" submit={change}>
				<label>
					<span>Started by a visit of</span>
					<select name="wake">
						{WAKERS.map(([value, words]) => (
							<option key={value} value={value} selected={value === project.wake}>{words}</option>
						))}
					</select>
				</label>
			</Form>
		</section>
	);
}

const LIFETIMES = /** @type {[string, string][]} */ ([
	["0", "never"], ["12", "in 12 hours"], ["24", "in a day"], ["72", "in 3 days"], ["168", "in a week"], ["720", "in 30 days"],
]);

/** When it ends by itself. @param {{project: Project, reload: () => Promise<void>}} props */
function Lifetime({project, reload}) {
	const change = async (/** @type {Record<string, string>} */ {hours}) => {
		await call("PUT", `/api/projects/${project.id}/lifetime`, {hours: hours === "0" ? null : Number(hours)});
		await reload();
	};
	return (
		<section>
			<h2>End</h2>
			<p>{project.expiresAt ? <>It ends <Time at={project.expiresAt}/>.</> : "It has no end."} At its end a project is
				stopped, and later deleted; both can be put off.</p>
			<Form label="Change when it ends" submit={change}>
				<label>
					<span>Ends</span>
					<select name="hours" required>
						{project.expiresAt !== null && <option value="">choose</option>}
						{LIFETIMES.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
					</select>
				</label>
			</Form>
		</section>
	);
}

/** @param {Project} props */
function Danger({id, name}) {
	const remove = useAction(async () => {
		const text = "Delete this project, its files and its database? If this site keeps a trash, it can be brought back from there.";
		if (!await ask({text, yes: "Delete it", typed: name}))
			return false;
		await post(`/api/projects/${id}/delete`);
		navigate("/projects", {replace: true}); // Back does not lead to what is gone
	});
	return (
		<section class="danger">
			<h2>Delete</h2>
			<p>The project goes with its files and its database. If this site keeps a trash, it can be brought back from
				there for a while.</p>
			<Act action={remove} class="danger">Delete</Act>
		</section>
	);
}
