// xterm.js on a shell of a sandbox.

import {FitAddon} from "@xterm/addon-fit";
import {SearchAddon} from "@xterm/addon-search";
import {Terminal} from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import {attach} from "../../sandbox/attach.js";
import {withSheets} from "../../sandbox/policy.js";
import {shellCommand} from "../../sandbox/run.js";

const SIZE_KEY = "terminal-font-size";
const SMALLEST = 8, USUAL = 14, LARGEST = 32;

function rememberedSize() {
	const stored = Number(localStorage.getItem(SIZE_KEY));
	return stored >= SMALLEST && stored <= LARGEST ? stored : USUAL;
}

/**
 * @param {{access: import("../../sandbox/access.js").Access, session: string, place: HTMLElement,
 *	tell: (state: "connecting" | "open" | "away" | "ended") => void}} options
 */
export function openScreen({access, session, place, tell}) {
	const terminal = new Terminal({
		fontSize: rememberedSize(), fontFamily: "ui-monospace, monospace",
		scrollback: 10000, allowProposedApi: true, macOptionIsMeta: true, screenReaderMode: true,
	});
	const fit = new FitAddon(), search = new SearchAddon();
	terminal.loadAddon(fit);
	terminal.loadAddon(search);
	withSheets(() => terminal.open(place));
	fit.fit();
	const line = attach({
		access, command: shellCommand(session), tell,
		size: {columns: terminal.cols, rows: terminal.rows},
		show: (data, taken) => terminal.write(data, taken),
		ended: () => tell("ended"),
	});
	terminal.onData(line.write);
	terminal.onResize(({cols, rows}) => line.resize(cols, rows));
	terminal.attachCustomKeyEventHandler((event) => !copies(terminal, event));
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
		copy: () => copy(terminal),
		search: (/** @type {string} */ text, previous = false) => search[previous ? "findPrevious" : "findNext"](text, {incremental: !previous}),
		zoom(/** @type {number} */ by) {
			const size = Math.min(Math.max((terminal.options.fontSize ?? USUAL) + by, SMALLEST), LARGEST);
			localStorage.setItem(SIZE_KEY, String(size));
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
