// A process in a sandbox with a terminal, over sandboxd's WebSocket /v1/attach. What it prints and what
// is typed have offsets, so that after a lost connection nothing is missing and nothing is there twice.

import {ApiError} from "../api.js";

const AHEAD = 65536; // bytes of input that sandboxd has not taken yet
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;
const SILENCE_MS = 8000; // input that is not taken for so long: the connection is dead
const UNATTENDED_S = 600; // without a page for so long, the program gets SIGHUP
const HEAD = 9; // of a binary message: the stream, and the offset

/**
 * @typedef {object} Terminal
 * @property {(text: string) => void} write types it
 * @property {(columns: number, rows: number) => void} resize
 * @property {() => void} reconnect at once
 * @property {() => void} close hangs up: the program gets SIGHUP
 *
 * @typedef {object} Options
 * @property {import("./access.js").Access} access
 * @property {string[]} command
 * @property {{columns: number, rows: number}} size
 * @property {(data: Uint8Array, taken: () => void) => void} show what was printed; taken() when it is shown
 * @property {(state: "connecting" | "open" | "away") => void} tell
 * @property {() => void} ended the program has ended
 */

/**
 * @param {Options} options
 * @returns {Terminal}
 */
export function attach(options) {
	const line = new Line(options);
	line.connect();
	return {
		write: (text) => line.type(new TextEncoder().encode(text)),
		resize: (columns, rows) => line.resize({columns, rows}),
		reconnect: () => line.again(),
		close: () => line.hangUp(),
	};
}

class Line {
	/** @param {Options} options */
	constructor(options) {
		this.options = options;
		this.size = options.size;
		this.key = crypto.randomUUID();
		/** @type {{unattended?: number}} */
		this.unattended = {unattended: UNATTENDED_S}; // an older sandboxd refuses it
		/** @type {string | null} */
		this.process = null;
		/** @type {WebSocket | null} */
		this.socket = null;
		this.attached = false;
		this.closed = false;
		this.round = 0; // of connecting: another one may begin while one is under way
		this.doubted = false; // a token that a handshake is refused for looks like a lost connection
		this.pause = FIRST_PAUSE_MS;
		this.received = 0; // offset up to which output has arrived
		this.taken = 0; // offset up to which input has been taken
		this.sent = 0;
		this.waiting = new Uint8Array(0); // input from `taken` on
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		this.timer = undefined;
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		this.silence = undefined;
	}

	async connect() {
		const round = ++this.round;
		this.options.tell("connecting");
		try {
			if (this.doubted)
				await this.options.access.request("/v1/processes"); // with another token, if need be
			const {token, url, expiresAt} = await this.options.access.pass();
			if (this.closed || round !== this.round)
				return;
			const socket = new WebSocket(`${url.replace(/^http/, "ws")}/v1/attach`, ["fsa.v1", `fsa.token.${token}`]);
			this.socket = socket;
			socket.binaryType = "arraybuffer";
			socket.onopen = () => this.begin(Date.parse(expiresAt));
			socket.onmessage = ({data}) => (typeof data === "string" ? this.hear(JSON.parse(data)) : this.output(data));
			socket.onclose = () => this.lost(socket);
		} catch (error) {
			if (round !== this.round)
				return;
			// What will not be otherwise the next time is for whoever looks at the page as a whole.
			const final = error instanceof ApiError && error.status < 500 && error.status !== 409 && error.status !== 429;
			this.retry(final ? LONGEST_PAUSE_MS : this.pause);
		}
	}

	/** @param {object} message */
	send(message) {
		if (this.socket?.readyState === WebSocket.OPEN)
			this.socket.send(JSON.stringify(message));
	}

	/** @param {number} ends of the token */
	begin(ends) {
		if (this.process === null)
			this.send({type: "start", idempotencyKey: this.key, command: this.options.command, terminal: this.size,
				environment: {TERM: "xterm-256color", COLORTERM: "truecolor"}, ...this.unattended});
		else
			this.send({type: "attach", id: this.process, stdout: this.received, stderr: 0});
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.renew(), Math.max(ends - Date.now() - 60000, 1000));
	}

	async renew() {
		const {token, expiresAt} = await this.options.access.pass().catch(() => ({token: null, expiresAt: ""}));
		if (token === null)
			return; // the connection ends with its token, and another one is made
		this.send({type: "token", token});
		this.timer = setTimeout(() => this.renew(), Math.max(Date.parse(expiresAt) - Date.now() - 60000, 1000));
	}

	/** @param {any} message */
	hear(message) {
		if (message.type === "process") {
			this.process = message.id;
			this.attached = true;
			this.pause = FIRST_PAUSE_MS;
			this.options.tell("open");
			this.sent = message.stdinOffset;
			this.take(message.stdinOffset);
			this.send({type: "size", ...this.size});
		} else if (message.type === "stdin") {
			this.take(message.stdinOffset);
		} else if (message.type === "exit" && message.unattended) {
			this.startAnew();
		} else if (message.type === "exit") {
			this.stop();
			this.options.ended();
		} else if (message.type === "error" && !this.attached) {
			this.refused(message.status);
		}
	}

	/** Neither started nor attached. @param {number} status */
	refused(status) {
		const lost = status === 404 && this.process !== null;
		const older = status === 400 && this.process === null && "unattended" in this.unattended;
		if (older)
			this.unattended = {};
		if (lost || older)
			this.startAnew();
		else
			this.drop(LONGEST_PAUSE_MS);
	}

	/** The program has ended while nobody was there, with the sandbox or alone: what was typed for it is void. */
	startAnew() {
		this.process = null;
		this.key = crypto.randomUUID();
		this.received = this.taken = this.sent = 0;
		this.waiting = new Uint8Array(0);
		this.begin(Date.now() + 3600000);
	}

	/** @param {ArrayBuffer} message */
	output(message) {
		const offset = Number(new DataView(message).getBigUint64(1));
		const data = new Uint8Array(message, HEAD);
		const next = offset + data.length;
		const fresh = data.subarray(Math.max(this.received - offset, 0));
		if (next <= this.received)
			return;
		this.received = next;
		this.options.show(fresh, () => this.send({type: "ack", stdout: next, stderr: 0}));
	}

	/** @param {Uint8Array} data */
	type(data) {
		const longer = new Uint8Array(this.waiting.length + data.length);
		longer.set(this.waiting);
		longer.set(data, this.waiting.length);
		this.waiting = longer;
		this.pump();
	}

	/** @param {number} offset */
	take(offset) {
		this.waiting = this.waiting.subarray(offset - this.taken);
		this.taken = offset;
		clearTimeout(this.silence);
		this.silence = undefined;
		this.pump();
	}

	pump() {
		const socket = this.socket;
		if (!this.attached || socket?.readyState !== WebSocket.OPEN)
			return;
		const end = Math.min(this.taken + this.waiting.length, this.taken + AHEAD);
		if (end > this.sent) {
			socket.send(this.waiting.slice(this.sent - this.taken, end - this.taken));
			this.sent = end;
		}
		if (this.waiting.length > 0)
			this.silence ??= setTimeout(() => this.again(), SILENCE_MS);
	}

	/** @param {{columns: number, rows: number}} size */
	resize(size) {
		this.size = size;
		this.send({type: "size", ...size});
	}

	/** @param {WebSocket} socket */
	lost(socket) {
		if (socket !== this.socket || this.closed)
			return;
		this.doubted = !this.attached;
		this.retry(this.pause);
	}

	/** @param {number} pause */
	retry(pause) {
		if (this.closed)
			return;
		this.stopTimers();
		this.attached = false;
		this.options.tell("away");
		this.timer = setTimeout(() => this.connect(), pause);
		this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
	}

	/** Leaves a connection that may be dead for a new one. */
	again() {
		this.drop(0);
	}

	/** @param {number} pause */
	drop(pause) {
		const old = this.socket;
		this.socket = null;
		old?.close();
		this.retry(pause);
	}

	hangUp() {
		this.send({type: "signal", signal: "HUP"});
		this.stop();
	}

	stop() {
		this.closed = true;
		this.stopTimers();
		this.socket?.close();
	}

	stopTimers() {
		clearTimeout(this.timer);
		clearTimeout(this.silence);
		this.silence = undefined;
	}
}
