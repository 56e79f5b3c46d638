import {useEffect, useRef, useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {stayAboveKeyboard} from "../../parts/above-keyboard.js";
import {ask} from "../../parts/ask.jsx";
import {Act, Button} from "../../parts/button.jsx";
import {Failure} from "../../parts/failure.jsx";
import {endSession, folderOfSession, isSessionName, listSessions} from "../../sandbox/run.js";
import {query, setQuery} from "../../router.js";
import {InSandbox} from "./in-sandbox.jsx";
import {openScreen} from "./screen.js";
import {Uploads, dropped, useUploads} from "./uploads.jsx";

/**
 * @typedef {import("../../sandbox/access.js").Access} Access
 * @typedef {import("./uploads.jsx").Chosen} Chosen
 */

const FIRST = "main";
const STATES = {connecting: "Connecting…", open: "Connected", away: "The sandbox is out of reach; trying again.", ended: "This shell has ended."};
/** Keys that a phone's keyboard lacks, and what they send. */
const KEYS = /** @type {const} */ ([
	["Esc", "\x1b"], ["Tab", "\t"], ["Ctrl-C", "\x03"], ["|", "|"], ["/", "/"], ["-", "-"], ["~", "~"], ["←", "\x1b[D"], ["↑", "\x1b[A"], ["↓", "\x1b[B"], ["→", "\x1b[C"],
]);

/** @param {{project: Project}} props */
export function TerminalTab({project}) {
	return <InSandbox project={project} what="Terminals are">{(access) => <Shells access={access}/>}</InSandbox>;
}

/** The sandbox's sessions of tmux, one of them open. @param {{access: Access}} props */
function Shells({access}) {
	const [names, setNames] = useState([FIRST]);
	const asked = query.value.get("shell") ?? "";
	const name = isSessionName(asked) ? asked : FIRST;
	useEffect(() => {
		listSessions(access).then((found) => setNames((old) => [...new Set([...old, ...found])]), () => {});
	}, [access]);
	const all = names.includes(name) ? names : [...names, name];
	const add = () => {
		const number = [...Array(all.length + 2).keys()].find((n) => n > 1 && !all.includes(`shell-${n}`));
		setNames([...all, `shell-${number}`]);
		setQuery("shell", `shell-${number}`);
	};
	const end = useAction(async () => {
		if (!await ask({text: `End the shell "${name}", and what runs in it?`, yes: "End it"}))
			return false;
		await endSession(access, name);
		setNames(all.filter((other) => other !== name));
		setQuery("shell", "");
	});
	return (
		<section class="terminal">
			<div class="shells">
				{all.map((one) => (
					<Button key={one} class="quiet" aria-pressed={one === name} onClick={() => setQuery("shell", one === FIRST ? "" : one)}>{one}</Button>
				))}
				<Button class="quiet" aria-label="New shell" onClick={add}>+</Button>
				{name !== FIRST && <Act action={end} class="quiet">End this shell</Act>}
			</div>
			<Screen key={name} access={access} session={name}/>
		</section>
	);
}

/**
 * @param {{access: Access, session: string, ended?: () => void}} props `ended` is called when the session has
 *	ended; without it, another one of this name can be opened
 */
export function Screen({access, session, ended}) {
	const place = useRef(/** @type {HTMLDivElement | null} */ (null));
	const area = useRef(/** @type {HTMLDivElement | null} */ (null));
	const search = useRef(/** @type {HTMLInputElement | null} */ (null));
	const screen = useRef(/** @type {ReturnType<typeof openScreen> | null} */ (null));
	const [state, setState] = useState(/** @type {keyof typeof STATES} */ ("connecting"));
	const [round, setRound] = useState(0);
	const [control, setControl] = useState(false);
	const uploads = useUploads(access);
	const put = useAction(async (/** @type {Chosen} */ chosen) => uploads.add(await folderOfSession(access, session), chosen));
	useEffect(() => {
		screen.current = openScreen({
			access, session, place: /** @type {HTMLElement} */ (place.current), tell: setState, setControl,
			leave: () => search.current?.focus(),
		});
		return screen.current.close;
	}, [access, session, round]);
	useEffect(() => stayAboveKeyboard(/** @type {HTMLElement} */ (area.current)), []);
	useEffect(() => void (state === "ended" && ended?.()), [state]);
	const paste = useAction(async () => screen.current?.paste(await navigator.clipboard.readText()));
	return (
		<>
			<div class="shells">
				<span role="status" data-state={state} title="Ctrl-M leads out of the terminal">{STATES[state]}</span>
				{state === "ended" && !ended && <Button onClick={() => setRound(round + 1)}>Open it again</Button>}
				<input ref={search} type="search" aria-label="Search in the terminal" placeholder="Search"
					onInput={({currentTarget}) => screen.current?.search(currentTarget.value)}
					onKeyDown={({key, currentTarget}) => key === "Enter" && screen.current?.search(currentTarget.value, true)}/>
				<Button class="quiet" title="Smaller letters" onClick={() => screen.current?.zoom(-1)}>A−</Button>
				<Button class="quiet" title="Larger letters" onClick={() => screen.current?.zoom(1)}>A+</Button>
				<Button class="quiet" onClick={() => screen.current?.copy()}>Copy</Button>
				<Button class="quiet" onClick={paste.run}>Paste</Button>
				<Choose put={put.run}/>
				<Button class="quiet" onClick={() => place.current?.requestFullscreen()}>Full screen</Button>
			</div>
			<Failure action={paste}/>
			<Failure action={put}/>
			<Uploads {...uploads}/>
			<div ref={area}>
				<DropPlace put={put.run}>
					<div ref={place} class="screen" role="group" aria-label="Terminal" aria-description="Ctrl-M leads out of it"/>
				</DropPlace>
				<div class="keys">
					<Button aria-pressed={control} onClick={() => screen.current?.control(!control)}>Ctrl</Button>
					{KEYS.map(([label, sent]) => (
						<Button key={label} onClick={() => screen.current?.type(sent)}>{label}</Button>
					))}
				</div>
			</div>
		</>
	);
}

/** For who cannot drop a file. @param {{put: (chosen: Chosen) => void}} props */
function Choose({put}) {
	const input = useRef(/** @type {HTMLInputElement | null} */ (null));
	return (
		<>
			<Button class="quiet" title="Into the shell's current folder; you can also drop files on the terminal" onClick={() => input.current?.click()}>Upload</Button>
			<input ref={input} type="file" multiple hidden name="uploads" aria-label="Files to upload" onChange={({currentTarget}) => {
				put({files: [...currentTarget.files ?? []]});
				currentTarget.value = "";
			}}/>
		</>
	);
}

/** What is dropped here goes into the shell's current folder. @param {{put: (chosen: Chosen) => void, children: any}} props */
function DropPlace({put, children}) {
	const [over, setOver] = useState(false);
	const drop = (/** @type {DragEvent} */ event) => {
		event.preventDefault();
		setOver(false);
		put(dropped(event.dataTransfer));
	};
	const hover = (/** @type {DragEvent} */ event) => {
		event.preventDefault();
		setOver(true);
	};
	return (
		<div class="drop" onDrop={drop} onDragOver={hover} onDragLeave={() => setOver(false)}>
			{children}
			{over && <p class="hint">Drop files to put them into the shell's current folder</p>}
		</div>
	);
}
