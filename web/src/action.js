// The one way to act. An action is busy while it works; what it throws stays beside it until the
// action is tried again or the person dismisses it.

import {useRef, useState} from "preact/hooks";
import {call} from "./api.js";
import {ask} from "./parts/ask.jsx";

/**
 * @template {any[]} A
 * @typedef {object} Action
 * @property {(...args: A) => Promise<boolean>} run whether it was done; a second call while it works is none
 * @property {boolean} busy
 * @property {any} error
 * @property {() => void} dismiss
 */

/**
 * @template {any[]} A
 * @param {(...args: A) => Promise<any>} work false when the person decided against it
 * @returns {Action<A>}
 */
export function useAction(work) {
	const [state, setState] = useState({busy: false, error: /** @type {any} */ (null)});
	const running = useRef(false);
	const run = async (/** @type {A} */ ...args) => {
		if (running.current)
			return false;
		running.current = true;
		setState({busy: true, error: null});
		try {
			const done = await work(...args);
			setState({busy: false, error: null});
			return done !== false;
		} catch (error) {
			setState({busy: false, error});
			return false;
		} finally {
			running.current = false;
		}
	};
	return {...state, run, dismiss: () => setState({busy: false, error: null})};
}

/**
 * As call(), for what may cost data. When it would the API says so, and this asks; false when the
 * answer is no, and nothing was done.
 *
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
export async function callWithCare(method, path, body = {}) {
	try {
		return await call(method, path, body);
	} catch (/** @type {any} */ error) {
		if (error.code !== "DATA_AT_RISK")
			throw error;
		return await ask({text: error.message, yes: "Lose it"}) ? call(method, path, {...body, force: true}) : false;
	}
}
