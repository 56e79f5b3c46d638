// Where the address of a stopped sandbox leads to: starts it, if whoever comes may do that, shows how far it is, and goes
// on to what they asked for. The API names that address, so nothing that stands in a link leads anywhere else.

import {useEffect, useRef} from "preact/hooks";
import {useAction} from "../action.js";
import {get, post} from "../api.js";
import {Act} from "../parts/button.jsx";
import {Heading} from "../parts/heading.jsx";
import {Link} from "../parts/link.jsx";
import {Stages} from "../parts/stages.jsx";
import {sentence} from "../parts/status.jsx";
import {recall, remember} from "../remembered.js";
import {useResource} from "../resource.js";
import {query} from "../router.js";
import {user} from "../session.js";
import {elsewhere, PasswordForm, useProviders} from "./login.jsx";

/** @typedef {{status: string, desired: string, url: string, progress: {stages: {name: string, state: string}[]}, projectId: string | null}} Visit */

const LOOK_MS = 1500;
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 16000;
const REMEMBERED_MS = 60000;

export function Wake() {
	const to = wanted(query.value.get("to") ?? "");
	if (to === null)
		return <p class="failure" role="alert">This link is not complete: open the address of the application again.</p>;
	return user.value === undefined ? <p class="loading" role="status">Loading…</p> : <Visiting to={to}/>;
}

/** @param {string} address */
function wanted(address) {
	try {
		return new URL(address);
	} catch {
		return null;
	}
}

/** @param {{to: URL}} props */
function Visiting({to}) {
	const who = user.value?.id ?? "";
	const startedFor = useRef(/** @type {string | null} */ (null));
	const read = async () => {
		if (startedFor.current === who)
			return /** @type {Promise<Visit>} */ (get(`/api/wake?host=${encodeURIComponent(to.hostname)}`));
		const visit = /** @type {Visit} */ (await post("/api/wake", {host: to.hostname}));
		startedFor.current = who;
		return visit;
	};
	const visit = useResource(read, {deps: [who, to.hostname], every: LOOK_MS});
	return (
		<section class="narrow">
			<Heading title={to.hostname}/>
			{visit.loading && <p class="loading" role="status">Loading…</p>}
			{visit.error && <p class="failure" role="alert">{visit.error.message}</p>}
			{visit.error?.code === "ADDRESS_NOT_FOUND" && user.value === null && <OwnersLogin/>}
			{visit.data && !visit.error && <Progress visit={visit.data} to={to} reload={visit.reload}/>}
		</section>
	);
}

/** @param {{visit: Visit, to: URL, reload: () => Promise<void>}} props */
function Progress({visit: {status, desired, url, progress, projectId}, to, reload}) {
	const start = useAction(async () => {
		await post("/api/wake", {host: to.hostname});
		await reload();
	});
	const target = continuation(url, to);
	useEffect(() => (status === "RUNNING" ? leave(target) : undefined), [status, target]);
	return (
		<>
			<p role="status">{status === "RUNNING" ? "It is running; what you have asked for comes next." : sentence(status)}</p>
			<Stages stages={progress.stages}/>
			{status === "RUNNING" && <p><a href={target}>Go there now</a></p>}
			{desired === "STOPPED" && <Act action={start}>Start it</Act>}
			{projectId !== null && <p><Link to={`/projects/${projectId}`}>To the project</Link></p>}
		</>
	);
}

/** The terminal's own page is one of the site. @param {string} url @param {URL} to */
function continuation(url, to) {
	return new URL(url).host === to.host ? `${url}${to.pathname}${to.search}${location.hash}` : url;
}

/**
 * Goes there, after a moment in which the ingress hears of it. Where it leads back here, the moments become longer.
 * @param {string} target
 */
function leave(target) {
	const [former, at, times] = (recall("left") ?? "").split(" ");
	const again = former === target && Date.now() - Number(at) < REMEMBERED_MS ? Number(times) + 1 : 0;
	const timer = setTimeout(() => {
		remember("left", `${target} ${Date.now()} ${again}`);
		location.replace(target);
	}, Math.min(PAUSE_MS * 2 ** again, LONGEST_PAUSE_MS));
	return () => clearTimeout(timer);
}

function OwnersLogin() {
	const providers = useProviders();
	return (
		<>
			<h2>Is it a project of yours?</h2>
			<PasswordForm/>
			<div class="actions">
				{elsewhere(providers).map(({id, name, signinUrl}) => (
					<a key={id} class="button" href={signinUrl}>Log in with {name}</a>
				))}
			</div>
		</>
	);
}
