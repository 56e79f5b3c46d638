// Changes to a project's variables that are not applied yet: by name what a variable is to become,
// null for one that is to go.

/**
 * @typedef {{value: string | null, isSecret: boolean}} Wanted `value` null: as it is
 * @typedef {Map<string, Wanted | null>} Draft
 * @typedef {{key: string, kind: "added" | "changed" | "removed", before: Variable | undefined, after: Wanted | null}} Difference
 */

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

/**
 * The draft that makes the open variables what a text says; secrets stay unless it names them.
 * @param {Variable[]} stored
 * @param {Map<string, string>} text
 * @returns {Draft}
 */
export function draftOfText(stored, text) {
	const secret = new Set(stored.filter(({isSecret}) => isSecret).map(({key}) => key));
	/** @type {Draft} */
	const draft = new Map();
	for (const {key, isSecret} of stored)
		if (!isSecret && !text.has(key))
			draft.set(key, null);
	for (const [key, value] of text)
		draft.set(key, {value, isSecret: secret.has(key)});
	return draft;
}
