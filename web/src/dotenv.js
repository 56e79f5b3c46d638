// The format of .env files: NAME=value lines, values bare, in single quotes as they are, or in double
// quotes with \n, \r, \t, \" and \\; quoted values may have several lines.

export const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const ENTRY = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(?:'([^']*)'|"((?:[^"\\]|\\[^])*)"|([^\n'"]?[^\n]*))[ \t]*(?:#[^\n]*)?(?:\n|$)/;
const SKIPPED = /^[ \t]*(?:#[^\n]*)?(?:\n|$)/;
const ESCAPES = /** @type {Record<string, string>} */ ({n: "\n", r: "\r", t: "\t"});

/**
 * The variables of a text, in its order; a later one of the same name counts.
 * @param {string} text
 * @returns {Map<string, string>}
 * @throws {Error} that names the line that is none
 */
export function parseEnv(text) {
	const source = text.replaceAll("\r\n", "\n");
	const found = new Map();
	for (let rest = source; rest !== "";) {
		const skipped = SKIPPED.exec(rest);
		const entry = skipped ? null : ENTRY.exec(rest);
		if (!skipped && !entry) {
			const line = source.slice(0, source.length - rest.length).split("\n").length;
			throw new Error(`Line ${line} is not NAME=value`);
		}
		if (entry)
			found.set(entry[1], valueOf(entry));
		rest = rest.slice((skipped ?? entry)?.[0].length);
	}
	return found;
}

/** @param {RegExpExecArray} entry */
function valueOf([, , single, double, bare]) {
	if (single !== undefined)
		return single;
	if (double !== undefined)
		return double.replace(/\\([^])/g, (whole, c) => ESCAPES[c] ?? (c === '"' || c === "\\" ? c : whole));
	return bare.replace(/[ \t]+#.*$/, "").trim();
}

/**
 * The same variables as text, which parseEnv() reads back.
 * @param {Iterable<[name: string, value: string]>} variables
 */
export function formatEnv(variables) {
	return Array.from(variables, ([name, value]) => `${name}=${quoted(value)}\n`).join("");
}

/** @param {string} value */
function quoted(value) {
	if (/^[^\s'"#]*$/.test(value))
		return value;
	const escaped = value.replace(/[\\"]/g, "\\$&").replaceAll("\r", "\\r");
	return `"${escaped}"`;
}
