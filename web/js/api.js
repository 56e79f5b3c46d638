// The API of this site: every request of the page goes through call().
import {ask} from "./dom.js";

/** What the API answered with an error: its message, its errorCode, its status, commands that help. */
export class ApiError extends Error {
	constructor(status, problem) {
		super(problem.error ?? `The server answered ${status}`);
		this.status = status;
		this.code = problem.errorCode;
		this.remedy = problem.details?.remedy ?? null;
	}
}

// In a browser a session is a cookie that scripts cannot see. Where an embedding page's browser
// refuses such cookies it is this token instead, which lives no longer than the page.
let bearer = null;

export function useBearer(token) {
	bearer = token;
}

export function usesBearer() {
	return bearer !== null;
}

// Called with the operator's text when a change was refused because the site is under maintenance.
let hearMaintenance = () => {};

export function onMaintenance(hear) {
	hearMaintenance = hear;
}

function heard(error) {
	if (error.code === "MAINTENANCE")
		hearMaintenance(error.message);
	return error;
}

const ATTEMPTS = 3;

/**
 * The parsed answer; throws ApiError, or a TypeError when the network failed. While the site is away
 * for a moment (no answer, or 503) it is asked again: what changes something carries a key by which
 * the API knows that it is the same request. Logins have none, so they are sent once.
 */
export async function call(method, path, body) {
	const repeatable = method === "GET" || !path.startsWith("/api/auth/");
	const key = method === "GET" ? null : crypto.randomUUID();
	for (let attempt = 1; ; attempt++) {
		try {
			return await send(method, path, body, key);
		} catch (error) {
			const away = error instanceof TypeError
				|| (error.status === 503 && error.code !== "MAINTENANCE");
			if (!away || !repeatable || attempt === ATTEMPTS)
				throw error;
		}
		await new Promise((resolve) => setTimeout(resolve, attempt * 1000));
	}
}

async function send(method, path, body, key) {
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
		throw heard(new ApiError(answer.status, json ?? {}));
	return json;
}

function parse(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null; // a proxy's own page
	}
}

/**
 * As call(), for what may cost data. When it would the API says so, and this asks; null when the answer
 * is no, and nothing was done.
 */
export async function callWithCare(method, path, body = {}) {
	try {
		return await call(method, path, body);
	} catch (error) {
		if (error.code !== "DATA_AT_RISK")
			throw error;
		return await ask(error.message, "Lose it") ? call(method, path, {...body, force: true}) : null;
	}
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);

/** The user of the session, or null where there is none. */
export async function whoIsThere() {
	try {
		return (await get("/api/auth/session")).user;
	} catch (error) {
		if (error.status !== 401)
			throw error;
		return null;
	}
}

/** Of the answer of /api/auth/providers those that a browser is sent to. */
export const elsewhere = (providers) =>
	Object.values(providers).filter(({type}) => type === "oauth" || type === "oidc");
