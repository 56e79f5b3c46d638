// What this browser remembers from one visit to the next. In a frame of another site it may not, and says so by
// throwing at the very name: then it is remembered for as long as the page lives.

/** @type {Map<string, string>} */
const here = new Map();

/** @param {string} key */
export function recall(key) {
	try {
		return localStorage.getItem(key);
	} catch {
		return here.get(key) ?? null;
	}
}

/** @param {string} key @param {string} value */
export function remember(key, value) {
	try {
		localStorage.setItem(key, value);
	} catch {
		here.set(key, value);
	}
}
