// xterm.js on a shell of a sandbox.

import {FitAddon} from "@xterm/addon-fit";
import {SearchAddon} from "@xterm/addon-search";
import {Terminal} from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import {recall, remember} from "../../remembered.js";
import {attach} from "../../sandbox/attach.js";
import {withSheets} from "../../sandbox/policy.js";
import {shellCommand} from "../../sandbox/run.js";

const SIZE_KEY = "terminal-font-size";
const SMALLEST = 8, USUAL = 14, LARGEST = 32;

function rememberedSize() {
	const stored = Number(recall(SIZE_KEY));
	return stored >= SMALLEST && stored <= LARGEST ? stored : USUAL;
}

/**
 * @param {{access: import("../../sandbox/access.js").Access, session: string, place: HTMLElement,
 *	tell: (state: "connecting" | "open" | "away" | "ended") => void, leave: () => void,
 *	setControl: (on: boolean) => void}} options `leave` is for somebody without a mouse, as every other key is the
 *	shell's; `setControl` is told whether the next letter is typed with Ctrl
 */
export function openScreen({access, session, place, tell, leave, setControl}) {
	const terminal = new Terminal({
		fontSize: rememberedSize(), fontFamily: "ui-monospace, monospace",
		scrollback: 10000, allowProposedApi: true, macOptionIsMeta: true, screenReaderMode: true,
	});
	const fit = new FitAddon(), search = new SearchAddon();
	terminal.loadAddon(fit);
	terminal.loadAddon(search);
	withSheets(() => terminal.open(place));
	takeWhatHasNoKey(terminal);
	fit.fit();
	const line = attach({
		access, command: shellCommand(session), tell,
		size: {columns: terminal.cols, rows: terminal.rows},
		show: (data, taken) => terminal.write(data, taken),
		ended: () => tell("ended"),
	});
	let control = false;
	const press = (/** @type {boolean} */ on) => setControl(control = on);
	terminal.onData((text) => {
		line.write(control ? withControl(text) : text);
		if (control)
			press(false);
	});
	terminal.onResize(({cols, rows}) => line.resize(cols, rows));
	terminal.attachCustomKeyEventHandler((event) => {
		if (event.key === "Tab" && !event.ctrlKey)
			event.preventDefault(); // xterm sends Shift-Tab, and lets it lead out, too
		return !copies(terminal, event) && !leaves(event, leave);
	});
	const back = (/** @type {PageTransitionEvent} */ {persisted}) => persisted && tell("ended"); // it was hung up
	const fitting = new ResizeObserver(() => fit.fit());
	fitting.observe(place);
	addEventListener("online", line.reconnect);
	addEventListener("pagehide", line.close);
	addEventListener("pageshow", back);
	terminal.focus();
	return {
		type(/** @type {string} */ text) {
			line.write(text);
			terminal.focus();
		},
		paste(/** @type {string} */ text) {
			terminal.paste(text);
			terminal.focus();
		},
		control(/** @type {boolean} */ on) {
			press(on);
			terminal.focus();
		},
		copy: () => copy(terminal),
		search: (/** @type {string} */ text, previous = false) => search[previous ? "findPrevious" : "findNext"](text, {incremental: !previous}),
		zoom(/** @type {number} */ by) {
			const size = Math.min(Math.max((terminal.options.fontSize ?? USUAL) + by, SMALLEST), LARGEST);
			remember(SIZE_KEY, String(size));
			terminal.options.fontSize = size;
			fit.fit();
		},
		close() {
			removeEventListener("online", line.reconnect);
			removeEventListener("pagehide", line.close);
			removeEventListener("pageshow", back);
			fitting.disconnect();
			line.close();
			terminal.dispose();
		},
	};
}

/**
 * Types what is dictated, or chosen from a keyboard of pictures. In the mode for screen readers xterm leaves it in its
 * text area, as what is typed by keys is there, too.
 * @param {Terminal} terminal
 */
function takeWhatHasNoKey(terminal) {
	const area = /** @type {HTMLTextAreaElement} */ (terminal.textarea);
	let keyed = false;
	area.addEventListener("keydown", () => void (keyed = true));
	for (const name of ["keyup", "blur"])
		area.addEventListener(name, () => void (keyed = false));
	area.addEventListener("input", (event) => {
		const {data, inputType, isComposing} = /** @type {InputEvent} */ (event);
		if (!keyed && inputType === "insertText" && !isComposing && data)
			terminal.input(data);
	});
}

/** A letter as a keyboard with Ctrl sends it; anything else is as it is. @param {string} text */
const withControl = (text) => (/^[@-_a-z]$/.test(text) ? String.fromCharCode(text.toUpperCase().charCodeAt(0) & 0x1f) : text);

/** @param {Terminal} terminal */
function copy(terminal) {
	if (terminal.hasSelection())
		navigator.clipboard.writeText(terminal.getSelection());
	terminal.focus();
}

/**
 * Ctrl-C copies what is selected, and interrupts otherwise; Cmd-C and Ctrl-Shift-C copy.
 * @param {Terminal} terminal
 * @param {KeyboardEvent} event
 */
function copies(terminal, event) {
	const asked = event.type === "keydown" && event.key.toLowerCase() === "c" && (event.ctrlKey || event.metaKey) && !event.altKey;
	if (!asked || !terminal.hasSelection())
		return false;
	copy(terminal);
	terminal.clearSelection();
	event.preventDefault();
	return true;
}

/**
 * Ctrl-M, which a shell takes for Enter, leads out of the terminal.
 * @param {KeyboardEvent} event
 * @param {() => void} leave
 */
function leaves(event, leave) {
	if (event.key.toLowerCase() !== "m" || !event.ctrlKey || event.altKey || event.shiftKey || event.metaKey)
		return false;
	event.preventDefault();
	if (event.type === "keydown")
		leave();
	return true;
}
