// Short commands in a sandbox, and what they print.

const WAIT_S = 10;

/**
 * What a command prints, when it has ended.
 * @param {import("./access.js").Access} access
 * @param {string[]} command
 */
export async function run(access, command) {
	const started = await access.request(`/v1/processes?wait=${WAIT_S}`, {
		method: "POST",
		headers: {"Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID()},
		body: JSON.stringify({command}),
	});
	const {id} = await started.json();
	const printed = await (await access.request(`/v1/processes/${id}/stdout?offset=0`)).text();
	await access.request(`/v1/processes/${id}`, {method: "DELETE"});
	return printed;
}

/** @param {import("./access.js").Access} access @returns {Promise<string[]>} names of tmux' sessions */
export async function listSessions(access) {
	const printed = await run(access, ["sh", "-c", "tmux list-sessions -F '#{session_name}' 2>/dev/null || true"]);
	return printed.split("\n").filter(isSessionName);
}

/** @param {import("./access.js").Access} access @param {string} name */
export const endSession = (access, name) => run(access, ["tmux", "kill-session", "-t", `=${name}`]);

/**
 * The folder that a session's shell is in; "", the home directory, where that is not known.
 * @param {import("./access.js").Access} access
 * @param {string} name
 */
export async function folderOfSession(access, name) {
	const printed = await run(access, ["sh", "-c", `tmux display-message -p -t '=${name}:' '#{pane_current_path}' 2>/dev/null || true`]);
	return printed.replace(/\n$/, "");
}

/** The session that the terminal's own page and `fsa shell` have, too; without tmux a shell. */
const SHELL = `session=/usr/lib/fullstack-agent/session
[ -x "$session" ] && exec "$session" "$1"
command -v tmux >/dev/null && exec tmux new-session -A -s "$1"
exec "\${SHELL:-/bin/bash}" -l`;

/** Whether a session may have this name: a link may come from anybody. @param {string} name */
export const isSessionName = (name) => /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/.test(name);

/** @param {string} session */
export const shellCommand = (session) => ["sh", "-c", SHELL, "sh", session];
