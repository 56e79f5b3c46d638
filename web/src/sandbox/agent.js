// Tasks of the coding agent: processes of sandboxd by this name, each in a terminal session of its own. What was
// asked, and how it ended, is in a file of the home directory, which outlives the processes.

import {post} from "../api.js";

const PROCESS = "agent";
const RECORD = ".local/state/fullstack-agent/agent-tasks.jsonl";
const RECORD_END = 65536; // bytes of it that are read
const WAIT_S = 50;
const INTERRUPTED = 130;
/** The exit code of a sandbox whose image has no agent. */
export const NO_AGENT = 127;

/**
 * @typedef {import("./access.js").Access} Access
 * @typedef {"running" | "done" | "interrupted" | "failed" | "lost"} TaskState
 * @typedef {{session: string, process: string | null, state: TaskState, exitCode: number | null,
 *	startedAt: string, endedAt: string | null, prompt: string | null}} Task
 *   `process`: its id, while sandboxd knows of it; `prompt`: null when nobody has kept it
 * @typedef {{id: string, name: string | null, command: string[], status: string, exitCode: number | null,
 *	startedAt: string, endedAt: string | null}} Process
 * @typedef {{session: string, event: string, at: string, prompt?: string, exitCode?: number}} Line of the record
 */

/**
 * @param {Access} access
 * @param {string} project
 * @param {string} prompt
 * @returns {Promise<string>} the task's session
 */
export async function startTask(access, project, prompt) {
	const {session, request} = await post(`/api/projects/${project}/agent`, {prompt});
	await access.request(request.path, {
		method: request.method, headers: {...request.headers, "Content-Type": "application/json"},
		body: JSON.stringify(request.body),
	});
	return session;
}

/** The agent ends, and its session when nobody watches. @param {Access} access @param {string} process */
export const endTask = (access, process) => access.request(`/v1/processes/${process}/signal`, {
	method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({signal: "TERM"}),
});

/**
 * Its status when it has ended, or after a while.
 * @param {Access} access
 * @param {string} process
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
export const waitForTask = async (access, process, signal) =>
	(await (await access.request(`/v1/processes/${process}?wait=${WAIT_S}`, {signal})).json()).status;

/** What it has printed, as far as sandboxd keeps it. @param {Access} access @param {string} process */
export const outputOf = async (access, process) =>
	(await access.request(`/v1/processes/${process}/stdout?offset=0`)).text();

/** The newest first. @param {Access} access @returns {Promise<Task[]>} */
export async function listTasks(access) {
	const [record, known] = await Promise.all([readRecord(access), listProcesses(access)]);
	/** @type {Map<string, Task>} */
	const tasks = new Map();
	for (const line of record)
		tasks.set(line.session, merged(line, tasks.get(line.session)));
	for (const process of known) {
		const session = process.command[1];
		tasks.set(session, {...ofProcess(process, session), prompt: tasks.get(session)?.prompt ?? null});
	}
	return [...tasks.values()].sort((one, other) => other.startedAt.localeCompare(one.startedAt));
}

/** @param {Access} access @returns {Promise<Process[]>} */
async function listProcesses(access) {
	const {processes} = await (await access.request("/v1/processes")).json();
	return processes.filter((/** @type {Process} */ {name, command}) => name === PROCESS && command.length > 1);
}

/** @param {Access} access @returns {Promise<Line[]>} */
async function readRecord(access) {
	const where = `/v1/files?${new URLSearchParams({path: RECORD})}`;
	const answer = await access.request(where, {headers: {Range: `bytes=-${RECORD_END}`}}).catch((error) => {
		if (error.status !== 404 && error.status !== 416) // of an empty file no range can be had
			throw error;
		return null; // no task yet
	});
	return (await answer?.text() ?? "").split("\n").map(parseLine).filter((line) => line !== null);
}

/** The first line may be a part of one. @param {string} text @returns {Line | null} */
function parseLine(text) {
	try {
		const line = JSON.parse(text);
		return typeof line.session === "string" && typeof line.at === "string" ? line : null;
	} catch {
		return null;
	}
}

/** What a line of the record adds to what those before have said. @param {Line} line @param {Task} [before] @returns {Task} */
function merged({session, event, at, prompt, exitCode}, before) {
	const task = before ?? {session, process: null, state: "lost", exitCode: null, startedAt: at, endedAt: null, prompt: prompt ?? null};
	return event === "ended" ? {...task, state: endOf(exitCode ?? null), exitCode: exitCode ?? null, endedAt: at} : task;
}

/** @param {Process} process @param {string} session @returns {Omit<Task, "prompt">} */
function ofProcess({id, status, exitCode, startedAt, endedAt}, session) {
	const state = status === "running" ? "running" : endOf(exitCode);
	return {session, process: id, state, exitCode, startedAt, endedAt};
}

/** @param {number | null} exitCode @returns {TaskState} */
function endOf(exitCode) {
	if (exitCode === 0)
		return "done";
	return exitCode === INTERRUPTED || exitCode === null ? "interrupted" : "failed";
}
