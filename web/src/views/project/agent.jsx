import {useEffect, useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {get} from "../../api.js";
import {ask} from "../../parts/ask.jsx";
import {Act, Button} from "../../parts/button.jsx";
import {Form} from "../../parts/form.jsx";
import {lazy} from "../../parts/lazy.jsx";
import {Link} from "../../parts/link.jsx";
import {Reading} from "../../parts/reading.jsx";
import {Time} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";
import {query, setQuery} from "../../router.js";
import {endTask, listTasks, NO_AGENT, outputOf, startTask, waitForTask} from "../../sandbox/agent.js";
import {InSandbox} from "./in-sandbox.jsx";

/**
 * @typedef {import("../../sandbox/access.js").Access} Access
 * @typedef {import("../../sandbox/agent.js").Task} Task
 */

const PROMPT_MAX = 16384;
const AWAY_MS = 3000;
/** Variables of a project that bring a key, too. */
const KEYS = new Set(["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"]);
const Screen = lazy(async () => (await import("./terminal.jsx")).Screen);

/** Tasks are the first sandbox's. @param {{project: Project}} props */
export function AgentTab({project}) {
	return (
		<InSandbox project={{...project, sandboxes: project.sandboxes.slice(0, 1)}} what="The coding agent works">
			{(access) => <Agent access={access} project={project.id}/>}
		</InSandbox>
	);
}

/** @param {{access: Access, project: string}} props */
function Agent({access, project}) {
	const tasks = useResource(() => listTasks(access));
	const running = tasks.data?.find(({state}) => state === "running")?.process ?? null;
	useEffect(() => {
		if (running === null)
			return;
		const stop = new AbortController();
		followTask(access, running, stop.signal, tasks.reload);
		return () => stop.abort();
	}, [access, running]);
	return (
		<>
			<NewTask access={access} project={project} reload={tasks.reload}/>
			<section>
				<h2>Tasks</h2>
				<Reading of={tasks}>{(found) => <Tasks access={access} tasks={found} reload={tasks.reload}/>}</Reading>
			</section>
		</>
	);
}

/**
 * Until it has ended, which is seen at once.
 * @param {Access} access
 * @param {string} process
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} reload
 */
async function followTask(access, process, signal, reload) {
	while (!signal.aborted) {
		const status = await waitForTask(access, process, signal)
			.catch((error) => (error.status === 404 ? "ended" : "away"));
		if (status === "ended")
			return reload();
		if (status === "away")
			await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
	}
}

/** @param {{access: Access, project: string, reload: () => Promise<void>}} props */
function NewTask({access, project, reload}) {
	const start = async (/** @type {Record<string, string>} */ {prompt}, /** @type {HTMLFormElement} */ form) => {
		const session = await startTask(access, project, prompt);
		form.reset();
		await reload();
		setQuery("task", session);
	};
	return (
		<section>
			<h2>New task</h2>
			<p>
				The coding agent works in a terminal of its own, and asks nobody before it acts: only the sandbox
				confines it. It goes on when you leave.
			</p>
			<KeyMissing project={project}/>
			<Form label="Start the task" submit={start}>
				<label>
					<span>What is it to do?</span>
					<textarea name="prompt" class="prose" rows={4} required maxLength={PROMPT_MAX}
						placeholder="Add a test for the parser, and make it pass." onKeyDown={submitByKeys}/>
					<small>Ctrl-Enter starts it, too.</small>
				</label>
			</Form>
		</section>
	);
}

/** @param {KeyboardEvent} event */
function submitByKeys(event) {
	const {key, ctrlKey, metaKey, currentTarget} = event;
	if (key !== "Enter" || !(ctrlKey || metaKey))
		return;
	event.preventDefault();
	/** @type {HTMLTextAreaElement} */ (currentTarget).form?.requestSubmit();
}

/** Without a key of its owner's the agent works only where the operator has one. @param {{project: string}} props */
function KeyMissing({project}) {
	const {data: found} = useResource(async () => {
		const [settings, variables] = await Promise.all([get("/api/user/config/anthropic"), get(`/api/projects/${project}/environment`)]);
		return Boolean(settings.apiKey) || Object.values(variables).flat().some(({key}) => KEYS.has(key));
	});
	if (found !== false)
		return null;
	return (
		<div class="warning">
			<p><strong>You have stored no AI key.</strong></p>
			<p>
				The agent works only if this site brings one. Store yours in
				the <Link to="/settings">settings</Link>, under “AI”, or log in with <code>claude</code> in the terminal.
			</p>
		</div>
	);
}

/** @param {{access: Access, tasks: Task[], reload: () => Promise<void>}} props */
function Tasks({access, tasks, reload}) {
	const opened = query.value.get("task");
	if (tasks.length === 0)
		return <p class="empty">None yet. What you ask for appears here, with what came of it.</p>;
	return (
		<ol class="tasks">
			{tasks.map((task) => (
				<li key={task.session} data-state={task.state}>
					<Entry task={task} open={task.session === opened}/>
					{task.session === opened && <Opened access={access} task={task} reload={reload}/>}
				</li>
			))}
		</ol>
	);
}

/** Its sign beside the colour, and words. */
const STATES = {
	running: ["◐", "Running"], done: ["●", "Done"], interrupted: ["○", "Interrupted"], failed: ["✕", "Failed"],
	lost: ["✕", "Cut off when the sandbox stopped"],
};

/** @param {{task: Task, open: boolean}} props */
function Entry({task: {session, state, exitCode, startedAt, prompt}, open}) {
	const [sign, words] = STATES[state];
	return (
		<button type="button" class="task" aria-expanded={open} onClick={() => setQuery("task", open ? "" : session)}>
			<span class="prompt"><bdi>{prompt ?? session}</bdi></span>
			<span class="state"><span aria-hidden="true">{sign} </span>{words}{state === "failed" && ` (exit code ${exitCode})`}</span>
			<Time at={startedAt}/>
		</button>
	);
}

/** @param {{access: Access, task: Task, reload: () => Promise<void>}} props */
function Opened({access, task, reload}) {
	const {session, process, state, exitCode} = task;
	const [watched, setWatched] = useState(state === "running");
	const end = useAction(async () => {
		if (!await ask({text: "End this task? What it has changed so far stays.", yes: "End it"}))
			return false;
		await endTask(access, /** @type {string} */ (process));
		await reload();
	});
	return (
		<div class="opened">
			{exitCode === NO_AGENT && <p class="warning">This sandbox's image has no coding agent: ask whoever runs the site for one that has.</p>}
			{state === "running" && (
				<div class="actions">
					<Act action={end} class="danger">End the task</Act>
					<span class="detail">To take over, press Ctrl-C in its terminal: the agent ends, and a shell is yours.</span>
				</div>
			)}
			{watched && <Screen access={access} session={session} ended={() => setWatched(false)}/>}
			{state !== "running" && <Output access={access} process={process}/>}
		</div>
	);
}

/** Its output, when it has ended. @param {{access: Access, process: string | null}} props */
function Output({access, process}) {
	const output = useResource(async () => (process === null ? null : outputOf(access, process)), {deps: [process]});
	return (
		<Reading of={output}>
			{(text) => (text === null
				? <p class="detail">What it printed went with the sandbox's last stop. <code>claude --continue</code> in the terminal knows the conversation.</p>
				: <pre class="log" tabIndex={0} role="region" aria-label="What the task printed">{text || "Nothing."}</pre>)}
		</Reading>
	);
}
