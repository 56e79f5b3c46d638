import {useEffect, useState} from "preact/hooks";
import {callWithCare, useAction} from "../../action.js";
import {get} from "../../api.js";
import {formatEnv, parseEnv} from "../../dotenv.js";
import {differences, draftOf, draftOfText, keepDraft, withoutStored} from "../../draft.js";
import {ask} from "../../parts/ask.jsx";
import {Act, Button} from "../../parts/button.jsx";
import {Failure} from "../../parts/failure.jsx";
import {Reading} from "../../parts/reading.jsx";
import {useResource} from "../../resource.js";
import {Editor} from "./variable-editor.jsx";

/** @typedef {import("../../draft.js").Draft} Draft */

/** @param {{project: Project}} props */
export function Variables({project}) {
	const path = `/api/projects/${project.id}/environment`;
	const read = async () => /** @type {Variable[]} */ (Object.values(await get(path)).flat());
	const stored = useResource(read, {
		deps: [path], hear: ({name, data}, old) => (name !== "kubeconfig" && data.id === project.id ? undefined : old),
	});
	const {draft, text} = draftOf(project.id);
	const setDraft = (/** @type {Draft} */ changed) => keepDraft(project.id, {draft: changed});
	const setText = (/** @type {string | null} */ typed) => keepDraft(project.id, {text: typed});
	const [raw, setRaw] = useState(text !== null);
	useEffect(() => {
		const needed = withoutStored(stored.data ?? [], draft);
		if (stored.data !== undefined && needed.size < draft.size)
			setDraft(needed);
	}, [stored.data, draft]);
	const toggle = async () => {
		if (text !== null && !await ask({text: "Drop the text that you have typed? Compare would take it over.", yes: "Drop it"}))
			return;
		setText(null);
		setRaw(!raw);
	};
	return (
		<section>
			<h2>Variables</h2>
			<p>Every shell and the application have them. A change replaces the pod; files stay.</p>
			<Reading of={stored}>
				{(variables) => (
					<>
						<Button aria-pressed={raw} class="quiet" onClick={toggle}>
							{raw ? "Show as a table" : "Edit as .env text"}
						</Button>
						{raw
							? <Raw variables={variables} draft={draft} text={text} setText={setText}
								take={(changed) => {
									keepDraft(project.id, {draft: changed, text: null});
									setRaw(false);
								}}/>
							: <Table variables={variables} draft={draft} setDraft={setDraft}/>}
						<Changes path={path} stored={variables} draft={draft} reload={stored.reload}
							clear={() => setDraft(new Map())}/>
					</>
				)}
			</Reading>
		</section>
	);
}

/** @param {{variables: Variable[], draft: Draft, setDraft: (draft: Draft) => void}} props */
function Table({variables, draft, setDraft}) {
	const [edited, setEdited] = useState(/** @type {Variable | null} */ (null));
	/** @param {Iterable<[string, import("../../draft.js").Wanted | null]>} more */
	const add = (more) => {
		setDraft(new Map([...draft, ...more]));
		setEdited(null);
	};
	return (
		<>
			{variables.length > 0 && (
				<table class="variables">
					<caption class="unseen">Variables</caption>
					<thead><tr><th scope="col">Name</th><th scope="col">Value</th><th scope="col">Change</th></tr></thead>
					<tbody>
						{variables.map((variable) => (
							<tr key={variable.id}>
								<th scope="row"><code>{variable.key}</code></th>
								<td>{variable.isSecret ? <em>secret</em> : <pre tabIndex={0} role="group" aria-label={`Value of ${variable.key}`}>{variable.value}</pre>}</td>
								<td class="actions">
									<Button aria-label={`Edit ${variable.key}`} onClick={() => setEdited(variable)}>Edit</Button>
									<Button aria-label={`Remove ${variable.key}`} onClick={() => add([[variable.key, null]])}>Remove</Button>
								</td>
							</tr>
						))}
					</tbody>
				</table>
			)}
			<Editor key={edited?.id} edited={edited} known={variables} add={add} cancel={() => setEdited(null)}/>
		</>
	);
}

/**
 * @param {{variables: Variable[], draft: Draft, text: string | null, setText: (text: string | null) => void,
 *	take: (draft: Draft) => void}} props `text`: null while nothing is typed
 */
function Raw({variables, draft, text, setText, take}) {
	const untouched = textOf(variables, draft), shown = text ?? untouched;
	const compare = useAction(async () => take(draftOfText(variables, draft, parseEnv(shown))));
	const secrets = variables.filter(({isSecret}) => isSecret).map(({key}) => key);
	return (
		<>
			<label>
				<span>As .env text</span>
				<textarea name="raw" rows={14} spellcheck={false} autocomplete="off" value={shown}
					onInput={({currentTarget}) => setText(currentTarget.value === untouched ? null : currentTarget.value)}/>
			</label>
			{secrets.length > 0 && <p class="detail">Secrets stay as they are, unless you give them a value here: {secrets.join(", ")}</p>}
			<Act action={compare}>Compare</Act>
		</>
	);
}

/** The open variables as the draft would make them. @param {Variable[]} variables @param {Draft} draft */
function textOf(variables, draft) {
	const all = new Map(variables.filter(({isSecret}) => !isSecret).map(({key, value}) => [key, value ?? ""]));
	for (const [key, wanted] of draft) {
		if (wanted === null || wanted.isSecret)
			all.delete(key);
		else if (wanted.value !== null)
			all.set(key, wanted.value);
	}
	return formatEnv(all);
}

const WORDS = {added: "new", changed: "changed", removed: "removed"};

/**
 * The difference that "Apply and restart" makes.
 * @param {{path: string, stored: Variable[], draft: Draft, clear: () => void, reload: () => Promise<void>}} props
 */
function Changes({path, stored, draft, clear, reload}) {
	const found = differences(stored, draft);
	const apply = useAction(async () => {
		if (!await send(path, found))
			return false;
		clear();
		await reload();
	});
	if (found.length === 0)
		return <Failure action={apply}/>;
	return (
		<div class="changes" role="group" aria-label="Not applied yet">
			<h3>Not applied yet</h3>
			<ul>
				{found.map(({key, kind, before, after}) => (
					<li key={key} data-kind={kind}>
						<code>{key}</code> {WORDS[kind]}
						{before?.isSecret && after && !after.isSecret && ", secret no longer"}
						{after && (after.isSecret ? ", secret" : after.value !== null && <pre tabIndex={0} role="group" aria-label={`New value of ${key}`}>{after.value}</pre>)}
					</li>
				))}
			</ul>
			<div class="actions">
				<Act action={apply} class="primary">Apply and restart</Act>
				<Button onClick={clear}>Discard</Button>
			</div>
		</div>
	);
}

/**
 * Stores what has changed at once, then removes.
 * @param {string} path
 * @param {import("../../draft.js").Difference[]} found
 */
async function send(path, found) {
	for (const {before, after} of found)
		if (before && after && after.value === null && await callWithCare("PATCH", `${path}/${before.id}`, {isSecret: after.isSecret}) === false)
			return false;
	const variables = found.flatMap(({key, before, after}) => (!after || after.value === null ? [] : [{
		key, value: after.value, isSecret: after.isSecret,
		category: before?.isSecret === after.isSecret ? before.category : after.isSecret ? "secret" : "general",
	}]));
	if (variables.length > 0 && await callWithCare("PATCH", path, {variables}) === false)
		return false;
	for (const {kind, before} of found)
		if (kind === "removed" && await callWithCare("DELETE", `${path}/${before?.id}`) === false)
			return false;
	return true;
}
