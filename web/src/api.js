// The API of this site: every request of the console goes through call().

import {signal} from "@preact/signals";

/** What the API answered with an error: its message, its errorCode, its status, commands that help. */
export class ApiError extends Error {
	/**
	 * @param {number} status
	 * @param {{error?: string, errorCode?: string, details?: {remedy?: string}}} problem
	 */
	constructor(status, problem) {
		super(problem.error ?? `The server answered ${status}`);
		this.status = status;
		this.code = problem.errorCode;
		this.remedy = problem.details?.remedy ?? null;
	}
}

/** Whether the last request found nobody who answers. */
export const away = signal(false);
/** The operator's text while nothing can be changed; "" as a rule. */
export const maintenance = signal("");
/** Whether the API has said that there is no session (any more). */
export const sessionEnded = signal(false);

// In a browser a session is a cookie that scripts cannot see. Where an embedding page's browser
// refuses such cookies it is this token instead, which lives no longer than the page.
/** @type {string | null} */
let bearer = null;

/** @param {string | null} token */
export function useBearer(token) {
	bearer = token;
}

export function usesBearer() {
	return bearer !== null;
}

const ATTEMPTS = 3;

/**
 * The parsed answer; throws ApiError, or a TypeError when the network failed. While the site is away
 * for a moment (no answer, or 503) it is asked again: what changes something carries a key by which
 * the API knows that it is the same request. Logins have none, so they are sent once.
 *
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
export async function call(method, path, body) {
	const repeatable = method === "GET" || !path.startsWith("/api/auth/");
	const key = method === "GET" ? null : crypto.randomUUID();
	for (let attempt = 1; ; attempt++) {
		try {
			const answer = await send(method, path, body, key);
			away.value = false;
			return answer;
		} catch (error) {
			away.value = isAway(error);
			if (!away.value || !repeatable || attempt === ATTEMPTS)
				throw heard(error);
		}
		await new Promise((resolve) => setTimeout(resolve, attempt * 1000));
	}
}

/** @param {any} error */
function isAway(error) {
	return error instanceof TypeError || (error.status === 503 && error.code !== "MAINTENANCE");
}

/** @param {any} error */
function heard(error) {
	if (error.code === "MAINTENANCE")
		maintenance.value = error.message;
	if (error.code === "UNAUTHENTICATED")
		sessionEnded.value = true;
	return error;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object | undefined} body
 * @param {string | null} key
 */
async function send(method, path, body, key) {
	/** @type {Record<string, string>} */
	const headers = {Accept: "application/json"};
	if (bearer !== null)
		headers.Authorization = `Bearer ${bearer}`;
	if (body !== undefined)
		headers["Content-Type"] = "application/json";
	if (key !== null)
		headers["Idempotency-Key"] = key;
	const answer = await fetch(path, {
		method,
		headers,
		body: body === undefined ? undefined : JSON.stringify(body),
		cache: "no-store",
	});
	const text = await answer.text();
	const json = text === "" ? null : parse(text);
	if (!answer.ok)
		throw new ApiError(answer.status, json ?? {});
	return json;
}

/** @param {string} text */
function parse(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null; // a proxy's own page
	}
}

/** @param {string} path */
export const get = (path) => call("GET", path);
/** @param {string} path @param {object} [body] */
export const post = (path, body) => call("POST", path, body);
