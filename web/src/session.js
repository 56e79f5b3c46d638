// Who is there, and how that begins and ends.

import {signal} from "@preact/signals";
import {away, get, post, sessionEnded, useBearer} from "./api.js";
import {forgetDrafts} from "./draft.js";
import {navigate} from "./router.js";
import {forgetSandboxes} from "./sandbox/access.js";
import {startLive, stopLive} from "./live.js";
import {framed, logInBySealos} from "./sealos.js";

/** The user; null when nobody is logged in; undefined until that is known. */
export const user = signal(/** @type {User | null | undefined} */ (undefined));
/** Why a login by itself failed; "" as a rule. */
export const loginFailure = signal("");

const AGAIN_MS = 1500;
let byDesktop = framed(); // until somebody logs out, or it has failed

/** The user of the session, or null where there is none. */
async function whoIsThere() {
	try {
		return /** @type {User} */ ((await get("/api/auth/session")).user);
	} catch (/** @type {any} */ error) {
		if (error.status !== 401)
			throw error;
		return null;
	}
}

/** Finds out who is there; in a desktop's frame a session is made by itself. */
export async function enter() {
	loginFailure.value = "";
	let found = await patiently(whoIsThere);
	if (found === null && byDesktop) {
		byDesktop = false;
		try {
			byDesktop = await logInBySealos(whoIsThere);
			found = await whoIsThere();
		} catch (/** @type {any} */ error) {
			loginFailure.value = error.message;
		}
	}
	settle(found);
}

/** @param {User | null} found */
function settle(found) {
	if (found?.id !== user.value?.id) {
		forgetSandboxes();
		forgetDrafts();
	}
	if (found && user.value && found.id !== user.value.id)
		navigate("/projects"); // the view is the former one's
	if (found === null)
		stopLive();
	else
		startLive();
	user.value = found;
	sessionEnded.value = false;
}

/**
 * Asks until the site answers: that it is away says nothing about the session.
 * @template T
 * @param {() => Promise<T>} question
 */
async function patiently(question) {
	for (;;) {
		try {
			return await question();
		} catch (/** @type {any} */ error) {
			if (!away.value) {
				loginFailure.value = error.message;
				return null;
			}
		}
		await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
	}
}

export async function logOut() {
	byDesktop = false;
	await post("/api/auth/logout").catch((error) => {
		if (error.status !== 401)
			throw error; // the session is still there
	});
	useBearer(null);
	forgetSandboxes();
	settle(null);
}
