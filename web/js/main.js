// Which view is shown: by the session and by the address's fragment.

import {showAccount} from "./account.js";
import {ApiError, post, whoIsThere} from "./api.js";
import {h} from "./dom.js";
import {showInvitation} from "./invitation.js";
import {showLogin} from "./login.js";
import {watchMaintenance} from "./maintenance.js";
import {showProject} from "./project.js";
import {showProjects} from "./projects.js";
import {framed, logInBySealos} from "./sealos.js";
import {showSettings} from "./settings.js";

// A view fills page.main and may return a function that ends what it keeps running.
const VIEWS = [
	[/^#\/projects\/([0-9a-f-]{36})$/, showProject],
	[/^#\/settings$/, showSettings],
	[/^#\/account$/, showAccount],
	[/^/, showProjects],
];

// Is for somebody who cannot log in yet, whoever has a session in this browser.
const INVITATION = /^#\/invite\/([^/]+)\/([A-Za-z0-9_-]{43})$/;

const notice = document.getElementById("notice");
const nav = document.getElementById("nav");
let leave = null;
let user = null;
let byDesktop = framed(); // until somebody logs out, or it has failed

function tell(text) {
	notice.textContent = text;
	notice.hidden = text === "";
}

/** What a view gets besides the parameters of its address. */
const page = {
	main: document.getElementById("main"),
	enter,
	/** For what goes wrong in the background. A session that has ended leads to the login. */
	report(error) {
		if (error instanceof ApiError && error.status === 401)
			enter();
		else
			tell(error instanceof TypeError ? "The site does not answer; asking again." : error.message);
	},
	settled() {
		tell("");
	},
};

function show() {
	leave?.();
	leave = null;
	page.main.replaceChildren();
	tell("");
	const invited = INVITATION.exec(location.hash);
	if (user === null || invited) {
		nav.replaceChildren();
		if (invited)
			showInvitation(page, ...invited.slice(1));
		else
			showLogin(page);
		return;
	}
	nav.replaceChildren(
		h("a", {href: "#/"}, "Projects"),
		h("a", {href: "#/settings"}, "Settings"),
		h("a", {href: "#/account"}, user.name),
		h("button", {type: "button", onclick: logOut}, "Log out"),
	);
	const [pattern, view] = VIEWS.find(([pattern]) => pattern.test(location.hash));
	leave = view(page, ...pattern.exec(location.hash).slice(1));
}

async function logOut() {
	byDesktop = false;
	try {
		await post("/api/auth/logout");
	} catch (error) {
		page.report(error);
	}
	enter();
}

/** Shows what the session allows; in a desktop's frame it is made by itself. */
async function enter() {
	let failure = "";
	user = null;
	try {
		user = await whoIsThere();
		if (user === null && byDesktop) {
			byDesktop = false;
			byDesktop = await logInBySealos();
			user = await whoIsThere();
		}
	} catch (error) {
		failure = error.message;
	}
	show();
	tell(failure);
}

window.addEventListener("hashchange", show);
watchMaintenance(document.getElementById("maintenance"));
enter();
