// Uploads by tus (https://tus.io): in pieces, and after a lost connection from where it stopped.

import {ApiError} from "../api.js";

const PIECE = 4 * 1024 * 1024;
const TUS = {"Tus-Resumable": "1.0.0"};
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

/**
 * 412 CHANGED when there is a file already and it is not to be replaced.
 * @param {import("./access.js").Access} access
 * @param {string} path where it is to be
 * @param {Blob} file
 * @param {{tell: (sent: number) => void, signal: AbortSignal, replace?: boolean}} options
 *	`tell` is called with how many bytes have arrived; `signal` gives it up
 */
export async function upload(access, path, file, {tell, signal, replace = false}) {
	const begun = await patiently(signal, () => access.request(`/v1/uploads?${new URLSearchParams({path, parents: "true"})}`, {
		method: "POST", signal,
		headers: {...TUS, "Upload-Length": String(file.size), ...(replace ? {} : {"If-None-Match": "*"})},
	}));
	const {id, offset} = await begun.json();
	const place = `/v1/uploads/${id}`;
	let sent = offset;
	try {
		do {
			sent = await patiently(signal, () => sendPiece(access, place, file, sent, signal), async () => {
				sent = (await (await access.request(place, {signal, headers: TUS})).json()).offset;
			});
			tell(sent);
		} while (sent < file.size);
	} catch (error) {
		void access.request(place, {method: "DELETE", headers: TUS}).catch(() => {}); // what has arrived is of no use
		throw error;
	}
}

/**
 * @param {import("./access.js").Access} access
 * @param {string} place
 * @param {Blob} file
 * @param {number} from
 * @param {AbortSignal} signal
 */
async function sendPiece(access, place, file, from, signal) {
	const piece = await readPiece(file, from);
	const answer = await access.request(place, {
		method: "PATCH", signal, body: piece,
		headers: {...TUS, "Upload-Offset": String(from), "Content-Type": "application/offset+octet-stream"},
	});
	return Number(answer.headers.get("Upload-Offset") ?? from + piece.byteLength);
}

/**
 * Read before it is sent: fetch() does not tell a file that cannot be read from a lost connection.
 * @param {Blob} file
 * @param {number} from
 */
const readPiece = (file, from) => file.slice(from, from + PIECE).arrayBuffer().catch((error) => {
	throw new DOMException("This file cannot be read (any more): it was changed, moved or deleted after it was chosen", error.name);
});

/**
 * Tries again while the sandbox is out of reach, after `recover`. What the browser itself refuses (a DOMException) is
 * final.
 * @template T
 * @param {AbortSignal} signal
 * @param {() => Promise<T>} work
 * @param {() => Promise<void>} [recover]
 * @returns {Promise<T>}
 */
async function patiently(signal, work, recover = async () => {}) {
	for (let pause = FIRST_PAUSE_MS, failed = false; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
		try {
			if (failed)
				await recover();
			return await work();
		} catch (error) {
			if (signal.aborted || !passes(error))
				throw error;
			failed = true;
		}
		await new Promise((resolve) => setTimeout(resolve, pause));
	}
}

/** @param {unknown} error */
function passes(error) {
	if (error instanceof ApiError)
		return (error.status >= 500 && error.status !== 507) || error.code === "WRONG_OFFSET";
	return !(error instanceof DOMException);
}
