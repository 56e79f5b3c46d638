import {useEffect, useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {ask} from "../../parts/ask.jsx";
import {Act, Button} from "../../parts/button.jsx";
import {sizeOf} from "../../parts/bytes.js";
import {Field, Form} from "../../parts/form.jsx";
import {Reading} from "../../parts/reading.jsx";
import {Time} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";
import {query, setQuery} from "../../router.js";
import {download, folderOf, join, listFolder, makeFolder, move, remove, watchFolder} from "../../sandbox/files.js";
import {FileEditor} from "./file-editor.jsx";
import {InSandbox} from "./in-sandbox.jsx";
import {Uploads, dropped, useUploads} from "./uploads.jsx";

/** @typedef {import("../../sandbox/access.js").Access} Access */
/** @typedef {import("../../sandbox/files.js").Entry} Entry */

/** @param {{project: Project}} props */
export function FilesTab({project}) {
	return <InSandbox project={project} what="Files are">{(access) => <Files access={access}/>}</InSandbox>;
}

/** @param {{access: Access}} props */
function Files({access}) {
	const folder = query.value.get("folder") ?? "";
	const edited = query.value.get("file");
	return edited === null
		? <Folder key={folder} access={access} folder={folder}/>
		: <FileEditor key={edited} access={access} path={edited} close={() => setQuery("file", "")}/>;
}

/** @param {{access: Access, folder: string}} props */
function Folder({access, folder}) {
	const list = useResource(() => listFolder(access, folder));
	const uploads = useUploads(access, list.reload);
	const [over, setOver] = useState(false);
	useEffect(() => watchFolder(access, folder, list.reload), [access, folder]);
	const drop = (/** @type {DragEvent} */ event) => {
		event.preventDefault();
		setOver(false);
		uploads.add(folder, dropped(event.dataTransfer));
	};
	const hover = (/** @type {DragEvent} */ event) => {
		event.preventDefault();
		setOver(true);
	};
	return (
		<section class={over ? "over" : ""} onDrop={drop} onDragOver={hover} onDragLeave={() => setOver(false)}>
			<Crumbs folder={folder}/>
			<label>
				<span>Upload files, which you can also drop here</span>
				<input type="file" multiple name="uploads" onChange={({currentTarget}) => {
					uploads.add(folder, {files: [...currentTarget.files ?? []]});
					currentTarget.value = "";
				}}/>
			</label>
			<Uploads {...uploads}/>
			{list.error?.status === 404
				? <p class="warning" role="status">This folder is not there any more: it was deleted or renamed elsewhere.</p>
				: <Listed of={list} access={access} folder={folder}/>}
		</section>
	);
}

/** @param {{of: import("../../resource.js").Resource<Entry[]>, access: Access, folder: string}} props */
function Listed({of: list, access, folder}) {
	return (
		<>
			<Reading of={list}>
				{(entries) => (entries.length === 0
					? <p class="empty">This folder is empty.</p>
					: <Entries access={access} folder={folder} entries={entries} reload={list.reload}/>)}
			</Reading>
			<NewEntry access={access} folder={folder} reload={list.reload}/>
		</>
	);
}

/** The way from the home directory to a folder. @param {{folder: string}} props */
function Crumbs({folder}) {
	const parts = folder === "" ? [] : folder.split("/");
	return (
		<nav class="crumbs" aria-label="Folder">
			<Button class="quiet" onClick={() => setQuery("folder", "")}>Home</Button>
			{parts.map((part, i) => (
				<Button key={i} class="quiet" onClick={() => setQuery("folder", parts.slice(0, i + 1).join("/"))}>/ <bdi>{part}</bdi></Button>
			))}
		</nav>
	);
}

/** @param {{access: Access, folder: string, entries: Entry[], reload: () => Promise<void>}} props */
function Entries({access, folder, entries, reload}) {
	return (
		<table class="files">
			<caption class="unseen">Files</caption>
			<thead><tr><th scope="col">Name</th><th scope="col">Size</th><th scope="col">Changed</th><th scope="col">Actions</th></tr></thead>
			<tbody>
				{entries.map((entry) => (
					<Row key={entry.name} access={access} path={join(folder, entry.name)} entry={entry} reload={reload}/>
				))}
			</tbody>
		</table>
	);
}

/** @param {{access: Access, path: string, entry: Entry, reload: () => Promise<void>}} props */
function Row({access, path, entry: {name, type, size, modifiedAt}, reload}) {
	const [renaming, setRenaming] = useState(false);
	const isFolder = type === "directory";
	const fetching = useAction(() => download(access, path));
	const removing = useAction(async () => {
		const text = isFolder ? `Delete the folder "${name}" with all that is in it?` : `Delete "${name}"?`;
		if (!await ask({text, yes: "Delete it"}))
			return false;
		await remove(access, path);
		await reload();
	});
	const rename = async (/** @type {Record<string, string>} */ values) => {
		await move(access, path, join(folderOf(path), values.to));
		setRenaming(false);
		await reload();
	};
	return (
		<tr>
			<th scope="row">
				<Button class="quiet" disabled={type === "other"} onClick={() => setQuery(isFolder ? "folder" : "file", path)}>
					<span aria-hidden="true">{isFolder ? "▸ " : ""}</span><bdi>{name}</bdi>{isFolder && "/"}
				</Button>
				{renaming && (
					<Form label="Rename" submit={rename} cancel={() => setRenaming(false)}>
						<Field label={`Another name for ${name}`} name="to" required maxLength={255} defaultValue={name} autocomplete="off" autofocus/>
					</Form>
				)}
			</th>
			<td>{type === "file" && sizeOf(size)}</td>
			<td><Time at={modifiedAt}/></td>
			<td class="actions">
				{type === "file" && <Act action={fetching} class="quiet" label={`Download ${name}`}>Download</Act>}
				<Button class="quiet" aria-label={`Rename ${name}`} onClick={() => setRenaming(true)}>Rename</Button>
				<Act action={removing} class="quiet" label={`Delete ${name}`}>Delete</Act>
			</td>
		</tr>
	);
}

/** @param {{access: Access, folder: string, reload: () => Promise<void>}} props */
function NewEntry({access, folder, reload}) {
	const make = async (/** @type {Record<string, string>} */ {name}, /** @type {HTMLFormElement} */ form) => {
		await makeFolder(access, join(folder, name));
		form.reset();
		await reload();
	};
	return (
		<Form label="Make a folder" submit={make}>
			<Field label="Name of a new folder" name="name" required maxLength={255} autocomplete="off"/>
		</Form>
	);
}
