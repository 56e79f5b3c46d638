import {useRef, useState} from "preact/hooks";
import {ask} from "../../parts/ask.jsx";
import {Button} from "../../parts/button.jsx";
import {join} from "../../sandbox/files.js";
import {upload} from "../../sandbox/upload.js";

/**
 * @typedef {{path: string, size: number, sent: number, state: "waiting" | "sending" | "done" | "failed",
 *	error?: string, stop: AbortController}} Upload
 * @typedef {{files: Iterable<File>, folders?: string[]}} Chosen `folders`: names of those that were dropped, too
 */

/** What was dropped; of a folder a browser hands out no bytes. @param {DataTransfer | null} data @returns {Chosen} */
export function dropped(data) {
	const items = [...data?.items ?? []].filter(({kind}) => kind === "file")
		.map((item) => ({file: item.getAsFile(), entry: item.webkitGetAsEntry()}));
	return {
		files: items.flatMap(({file, entry}) => (file === null || entry?.isDirectory ? [] : [file])),
		folders: items.flatMap(({entry}) => (entry?.isDirectory ? [entry.name] : [])),
	};
}

/**
 * Uploads one after the other; what is chosen meanwhile waits.
 * @param {import("../../sandbox/access.js").Access} access
 * @param {() => Promise<void>} [reload] after each
 */
export function useUploads(access, reload = async () => {}) {
	const [uploads, setUploads] = useState(/** @type {Upload[]} */ ([]));
	const queue = useRef(Promise.resolve());
	const change = (/** @type {Upload} */ one, /** @type {Partial<Upload>} */ by) => {
		Object.assign(one, by);
		setUploads((all) => [...all]);
	};
	const send = async (/** @type {Upload} */ one, /** @type {File} */ file) => {
		if (one.stop.signal.aborted)
			return;
		change(one, {state: "sending"});
		try {
			const sent = await uploadWithCare(access, one.path, file, {tell: (bytes) => change(one, {sent: bytes}), signal: one.stop.signal});
			change(one, sent ? {state: "done"} : {state: "failed", error: "kept as it was"});
			await reload();
		} catch (/** @type {any} */ error) {
			change(one, {state: "failed", error: one.stop.signal.aborted ? "given up" : error.message});
		}
	};
	const list = (/** @type {string} */ path, size = 0) => {
		const one = /** @type {Upload} */ ({path, size, sent: 0, state: "waiting", stop: new AbortController()});
		setUploads((all) => [...all, one]);
		return one;
	};
	const add = (/** @type {string} */ folder, /** @type {Chosen} */ {files, folders = []}) => {
		for (const name of folders)
			change(list(join(folder, name)), {state: "failed", error: "A folder cannot be dropped here; `fsa cp` copies folders."});
		for (const file of files) {
			const one = list(join(folder, file.name), file.size);
			queue.current = queue.current.then(() => send(one, file));
		}
	};
	const stop = async (/** @type {Upload} */ one) => {
		if (!await ask({text: `Give up the upload of "${one.path}"?`, yes: "Give it up"}))
			return;
		one.stop.abort();
		change(one, {state: "failed", error: "given up"});
	};
	const forget = () => setUploads((all) => all.filter(({state}) => state === "waiting" || state === "sending"));
	return {uploads, add, stop, forget};
}

/**
 * Replaces a file of the same name only if the answer is yes; false when it is no.
 * @param {import("../../sandbox/access.js").Access} access
 * @param {string} path
 * @param {File} file
 * @param {{tell: (sent: number) => void, signal: AbortSignal}} options
 */
async function uploadWithCare(access, path, file, options) {
	try {
		await upload(access, path, file, options);
	} catch (/** @type {any} */ error) {
		if (error.status !== 412)
			throw error;
		if (!await ask({text: `There is a "${path}" already. Replace it?`, yes: "Replace it"}))
			return false;
		await upload(access, path, file, {...options, replace: true});
	}
	return true;
}

/** @param {{uploads: Upload[], stop: (one: Upload) => void, forget: () => void}} props */
export function Uploads({uploads, stop, forget}) {
	const ended = uploads.some(({state}) => state === "done" || state === "failed");
	return (
		<>
			<ul class="uploads" aria-label="Uploads">
				{uploads.map((one, i) => (
					<li key={i} data-state={one.state}>
						<bdi>{one.path}</bdi>{" "}
						{one.state === "done" && <span role="status">uploaded</span>}
						{one.state === "failed" && <span class="failure" role="alert">{one.error}</span>}
						{(one.state === "sending" || one.state === "waiting") && (
							<>
								<progress max={Math.max(one.size, 1)} value={one.sent} aria-label={`Upload of ${one.path}`}/>{" "}
								<Button class="quiet" aria-label={`Stop the upload of ${one.path}`} onClick={() => stop(one)}>Stop</Button>
							</>
						)}
					</li>
				))}
			</ul>
			{ended && <Button class="quiet" onClick={forget}>Clear the list</Button>}
		</>
	);
}
