import {useEffect, useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {ask} from "../../parts/ask.jsx";
import {Act, Button} from "../../parts/button.jsx";
import {Reading} from "../../parts/reading.jsx";
import {useResource} from "../../resource.js";
import {download, folderOf, readText, watchFolder, writeText} from "../../sandbox/files.js";

/** @typedef {import("../../sandbox/access.js").Access} Access */

/**
 * A text file. What somebody else wrote meanwhile is not written over without a question.
 * @param {{access: Access, path: string, close: () => void}} props
 */
export function FileEditor({access, path, close}) {
	const file = useResource(() => readText(access, path));
	useEffect(() => watchFolder(access, folderOf(path), file.reload), [access, path]);
	const fetching = useAction(() => download(access, path));
	return (
		<section>
			<h2><bdi>{path}</bdi></h2>
			<div class="actions">
				<Button onClick={close}>Back to the files</Button>
				<Act action={fetching}>Download</Act>
			</div>
			{file.error?.status === 404 && <p class="warning" role="status">This file was deleted or renamed elsewhere. To keep what you see, copy it.</p>}
			<Reading of={file.error?.status === 404 ? {...file, error: null} : file}>
				{(read) => (read === null ? <p>This file is not text.</p> : <Editor access={access} path={path} read={read}/>)}
			</Reading>
		</section>
	);
}

/** @param {{access: Access, path: string, read: {text: string, etag: string}}} props `read`: as it is now */
function Editor({access, path, read}) {
	const [base, setBase] = useState(read);
	const [text, setText] = useState(read.text);
	const changed = text !== base.text;
	if (!changed && read.etag !== base.etag) {
		setBase(read);
		setText(read.text);
	}
	const save = useAction(async () => {
		let over = base.etag;
		if (read.etag !== base.etag) {
			if (!await ask({text: "The file was changed elsewhere. Write over that?", yes: "Write over it"}))
				return false;
			over = read.etag;
		}
		setBase({text, etag: await writeText(access, path, text, over)});
	});
	return (
		<>
			{changed && read.etag !== base.etag && <p class="warning" role="status">This file was changed elsewhere meanwhile.</p>}
			<textarea class="code" aria-label={`Text of ${path}`} rows={24} spellcheck={false} value={text}
				onInput={({currentTarget}) => setText(currentTarget.value)}
				onKeyDown={(event) => {
					if ((event.ctrlKey || event.metaKey) && event.key === "s") {
						event.preventDefault();
						save.run();
					}
				}}/>
			<div class="actions">
				<Act action={save} class="primary">Save</Act>
				<span role="status" class="detail">{changed ? "Not saved" : "Saved"}</span>
			</div>
		</>
	);
}
