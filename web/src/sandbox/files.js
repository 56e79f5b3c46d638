// Files of a sandbox, by sandboxd.

/**
 * @typedef {{path: string, name: string, type: "file" | "directory" | "link" | "other", size: number,
 *	modifiedAt: string, etag: string}} Entry
 * @typedef {import("./access.js").Access} Access
 */

/** Where sandboxd keeps what is on its way. */
const ON_THEIR_WAY = /^\.fsa-(uploads$|unpack)/;

/** @param {string} path @param {Record<string, string>} [more] */
const parameters = (path, more) => new URLSearchParams({path, ...more}).toString();

/** @param {string} folder @param {string} name */
export const join = (folder, name) => (folder === "" ? name : `${folder}/${name}`);

/** @param {string} path */
export const folderOf = (path) => path.split("/").slice(0, -1).join("/");

/**
 * A folder's entries, folders first.
 * @param {Access} access
 * @param {string} folder relative to the home directory, which is ""
 * @returns {Promise<Entry[]>}
 */
export async function listFolder(access, folder) {
	/** @type {Entry[]} */
	const found = [];
	/** @type {string | null} */
	let after = "";
	while (after !== null) {
		const answer = await access.request(`/v1/files/list?${parameters(folder || ".", after ? {after} : {})}`);
		const page = await answer.json();
		found.push(...page.entries);
		after = page.next;
	}
	return found.filter(({name}) => !ON_THEIR_WAY.test(name))
		.sort((one, other) => Number(other.type === "directory") - Number(one.type === "directory"));
}

/**
 * A file's text; null when it is not text.
 * @param {Access} access
 * @param {string} path
 */
export async function readText(access, path) {
	const answer = await access.request(`/v1/files?${parameters(path)}`);
	const bytes = await answer.arrayBuffer();
	try {
		const text = new TextDecoder("utf-8", {fatal: true, ignoreBOM: true}).decode(bytes);
		return {text, etag: answer.headers.get("ETag") ?? ""};
	} catch {
		return null;
	}
}

/**
 * Writes only over what was read: 412 CHANGED when it is another one meanwhile.
 * @param {Access} access
 * @param {string} path
 * @param {string} text
 * @param {string | null} etag null: there must be none yet
 * @returns {Promise<string>} its new etag
 */
export async function writeText(access, path, text, etag) {
	const answer = await access.request(`/v1/files?${parameters(path)}`, {
		method: "PUT", body: new Blob([text]),
		headers: {"Content-Type": "application/octet-stream", ...(etag === null ? {"If-None-Match": "*"} : {"If-Match": etag})},
	});
	return (await answer.json()).etag;
}

/** @param {Access} access @param {string} path */
export async function download(access, path) {
	const answer = await access.request(`/v1/files?${parameters(path)}`);
	const link = document.createElement("a");
	link.href = URL.createObjectURL(await answer.blob());
	link.download = path.split("/").at(-1) ?? "file";
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** @param {Access} access @param {string} path */
export const makeFolder = (access, path) => send(access, "directory", {path});

/** @param {Access} access @param {string} from @param {string} to */
export const move = (access, from, to) => send(access, "move", {from, to});

/** @param {Access} access @param {string} what @param {object} body */
const send = (access, what, body) => access.request(`/v1/files/${what}`, {
	method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
});

/** @param {Access} access @param {string} path */
export const remove = (access, path) =>
	access.request(`/v1/files?${parameters(path, {recursive: "true"})}`, {method: "DELETE"});

/**
 * Calls `changed` when something in a folder changes; returns what ends it. Without a connection nothing
 * is told: when there is one again, `changed` is called.
 * @param {Access} access
 * @param {string} folder
 * @param {() => void} changed
 */
export function watchFolder(access, folder, changed) {
	let socket = /** @type {WebSocket | null} */ (null);
	let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
	let ended = false;
	const later = () => timer = setTimeout(connect, 3000);
	const connect = async () => {
		try {
			const {token, url} = await access.pass();
			if (ended)
				return;
			socket = new WebSocket(`${url.replace(/^http/, "ws")}/v1/files/watch`, ["fsa.v1", `fsa.token.${token}`]);
			socket.onopen = () => socket?.send(JSON.stringify({type: "watch", path: folder || "."}));
			socket.onmessage = () => changed(); // also when it begins: what was before may have been missed
			socket.onclose = () => void (ended || later());
		} catch {
			later();
		}
	};
	connect();
	return () => {
		ended = true;
		clearTimeout(timer);
		socket?.close();
	};
}
