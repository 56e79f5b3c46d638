import {useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {NAME, parseEnv} from "../../dotenv.js";
import {Failure} from "../../parts/failure.jsx";
import {Check, Form} from "../../parts/form.jsx";

/** @typedef {Iterable<[string, import("../../draft.js").Wanted | null]>} Changes */

/**
 * Where a variable is added to the draft, or changed. A pasted .env is as many as it has.
 * @param {{edited: Variable | null, known: Variable[], add: (changes: Changes) => void, cancel: () => void}} props
 */
export function Editor({edited, known, add, cancel}) {
	const [key, setKey] = useState(edited?.key ?? "");
	const [secret, setSecret] = useState(edited?.isSecret ?? false);
	const same = edited === null ? known.find((variable) => variable.key === key) : undefined;
	const isSecret = (/** @type {string} */ name) => known.some((variable) => variable.key === name && variable.isSecret);
	const name = (/** @type {string} */ typed) => {
		setKey(typed);
		setSecret(secret || isSecret(typed)); // what is secret stays so, unless one says otherwise
	};
	const pasted = useAction(async (/** @type {string} */ text) => (
		add(Array.from(parseEnv(text), ([name, value]) => [name, {value, isSecret: isSecret(name)}]))));
	const paste = (/** @type {ClipboardEvent} */ event) => {
		const text = event.clipboardData?.getData("text/plain") ?? "";
		if (!/^[^\n]*=/m.test(text))
			return;
		event.preventDefault();
		void pasted.run(text);
	};
	const take = async (/** @type {Record<string, string>} */ values, /** @type {HTMLFormElement} */ form) => {
		const untouched = edited?.isSecret && values.value === "";
		add([[edited?.key ?? values.key, {value: untouched ? null : values.value, isSecret: secret}]]);
		form.reset();
		setKey("");
		setSecret(false);
	};
	return (
		<Form label={edited ? "Change" : "Add"} submit={take} cancel={edited ? cancel : undefined}>
			<h3>{edited ? `Change ${edited.key}` : "Another variable"}</h3>
			{edited === null && (
				<label>
					<span>Name</span>
					<input name="key" required pattern={NAME.source.slice(1, -1)} maxLength={128} autocomplete="off" spellcheck={false}
						value={key} onInput={({currentTarget}) => name(currentTarget.value)} onPaste={paste}/>
					<Failure action={pasted}/>
					<small>{same ? `There is a ${same.isSecret ? "secret " : ""}${key}: its value is replaced.` : "A pasted .env becomes several."}</small>
				</label>
			)}
			<label>
				<span>Value</span>
				<textarea name="value" rows={2} maxLength={32768} spellcheck={false} autocomplete="off" autofocus={edited !== null}
					class={secret ? "masked" : ""} defaultValue={edited?.value ?? ""}/>
				{edited?.isSecret && <small>Empty: it stays as it is.</small>}
			</label>
			<Check label="secret: never shown again" name="secret" checked={secret}
				onChange={(/** @type {any} */ {currentTarget}) => setSecret(currentTarget.checked)}/>
		</Form>
	);
}
