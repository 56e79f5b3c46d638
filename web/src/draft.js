// Changes to a project's variables that are not applied yet: by name what a variable is to become,
// null for one that is to go.

import {signal} from "@preact/signals";

/**
 * @typedef {{value: string | null, isSecret: boolean}} Wanted `value` null: as it is
 * @typedef {Map<string, Wanted | null>} Draft
 * @typedef {{key: string, kind: "added" | "changed" | "removed", before: Variable | undefined, after: Wanted | null}} Difference
 */

/**
 * By the id of their project, for as long as the console is open; `text`: what is typed as .env text.
 * @type {import("@preact/signals").Signal<Map<string, {draft: Draft, text: string | null}>>}
 */
const drafts = signal(new Map());

/** @param {string} project */
export const draftOf = (project) => drafts.value.get(project) ?? {draft: new Map(), text: null};

/** @param {string} project @param {{draft?: Draft, text?: string | null}} change */
export function keepDraft(project, change) {
	const changed = {...draftOf(project), ...change};
	const others = [...drafts.value].filter(([id]) => id !== project);
	drafts.value = new Map(changed.draft.size > 0 || changed.text !== null ? [...others, [project, changed]] : others);
}

/** Whether there is something in it. @param {string} project */
export const hasDraft = (project) => drafts.value.has(project);

/** Whoever is there next has none. */
export const forgetDrafts = () => drafts.value = new Map();

/**
 * What the draft changes; what is in it as it is stored is no difference.
 * @param {Variable[]} stored
 * @param {Draft} draft
 * @returns {Difference[]}
 */
export function differences(stored, draft) {
	const known = new Map(stored.map((variable) => [variable.key, variable]));
	/** @type {Difference[]} */
	const found = [];
	for (const [key, after] of draft) {
		const before = known.get(key);
		if (after === null) {
			if (before)
				found.push({key, kind: "removed", before, after});
		} else if (!before)
			found.push({key, kind: "added", before, after});
		else if ((after.value !== null && after.value !== before.value) || after.isSecret !== before.isSecret)
			found.push({key, kind: "changed", before, after});
	}
	return found;
}

/** The draft without what is stored so already. @param {Variable[]} stored @param {Draft} draft @returns {Draft} */
export const withoutStored = (stored, draft) => new Map(differences(stored, draft).map(({key, after}) => [key, after]));

/** Whether it has a place in the .env text. @param {Wanted | null} wanted */
const isOpen = (wanted) => wanted !== null && !wanted.isSecret && wanted.value !== null;

/**
 * The draft that makes the open variables what a text says; secrets, and what the draft has about them, stay unless
 * it names them.
 * @param {Variable[]} stored
 * @param {Draft} before
 * @param {Map<string, string>} text
 * @returns {Draft}
 */
export function draftOfText(stored, before, text) {
	const secret = new Set(stored.filter(({isSecret}) => isSecret).map(({key}) => key));
	/** @type {Draft} */
	const draft = new Map();
	for (const {key, isSecret} of stored)
		if (!isSecret && !text.has(key))
			draft.set(key, null);
	for (const [key, wanted] of before)
		if (!isOpen(wanted) && !text.has(key))
			draft.set(key, wanted);
	for (const [key, value] of text)
		draft.set(key, {value, isSecret: before.get(key)?.isSecret ?? secret.has(key)});
	return draft;
}
