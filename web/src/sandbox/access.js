// The way into a sandbox: sandboxd, the server inside it, with short-lived tokens that the site makes.

import {ApiError, post} from "../api.js";

/** A token is renewed when it has less than this left. */
const RENEW_MS = 300000;

/**
 * @typedef {{token: string, url: string, expiresAt: string}} Pass
 * @typedef {object} Access
 * @property {(fresh?: boolean) => Promise<Pass>} pass a valid one; `fresh`: not the one that was refused
 * @property {(path: string, init?: RequestInit) => Promise<Response>} request throws ApiError, or another
 *   Error when the sandbox is out of reach
 */

/** @type {Map<string, Access>} */
const known = new Map();

/**
 * @param {string} project
 * @param {string} sandbox
 * @param {Project["role"]} [role] what the person is to the project
 * @returns {Access}
 */
export function openSandbox(project, sandbox, role = "owner") {
	const path = `/api/projects/${project}/sandboxes/${sandbox}/tokens`;
	const scopes = role === "viewer" ? VIEWERS_SCOPES : SCOPES;
	const key = `${path} ${scopes.join(" ")}`;
	const access = known.get(key) ?? makeAccess(path, scopes);
	known.set(key, access);
	return access;
}

/** Whoever is there next gets tokens of their own. */
export function forgetSandboxes() {
	known.clear();
}

const SCOPES = ["exec", "files:read", "files:write", "ports", "usage"];
const VIEWERS_SCOPES = ["usage"];

/** @param {string} path @param {string[]} scopes @returns {Access} */
function makeAccess(path, scopes) {
	let current = /** @type {Promise<Pass> | null} */ (null);
	let ends = 0;
	const make = async () => {
		const made = /** @type {Pass} */ (await post(path, {scopes}));
		ends = Date.parse(made.expiresAt) - RENEW_MS;
		return made;
	};
	const pass = (fresh = false) => {
		if (current === null || fresh || Date.now() > ends) {
			ends = Infinity; // while it is being made
			current = make();
			current.catch(() => current = null);
		}
		return current;
	};
	const send = async (/** @type {string} */ where, /** @type {RequestInit} */ init, /** @type {boolean} */ fresh) => {
		const {token, url} = await pass(fresh);
		return fetch(url + where, {...init, headers: {...init.headers, Authorization: `Bearer ${token}`}})
			.catch((error) => {
				throw error instanceof TypeError ? new Error("The sandbox is out of reach") : error;
			});
	};
	return {pass, async request(where, init = {}) {
		let answer = await send(where, init, false);
		if (answer.status === 401)
			answer = await send(where, init, true);
		if (!answer.ok)
			throw new ApiError(answer.status, await answer.json().catch(() => ({})));
		return answer;
	}};
}
