// Questions before something is lost. Not window.confirm(): a page in a frame of another site may not
// have that.

import {signal} from "@preact/signals";
import {useState} from "preact/hooks";
import {Dialog} from "./dialog.jsx";

/**
 * @typedef {object} Question
 * @property {string} text
 * @property {string} yes the button's words for what is done then
 * @property {string} [typed] what has to be typed before that button works
 */

/**
 * Those without an answer; the first is shown.
 * @type {import("@preact/signals").Signal<(Question & {number: number, answer: (yes: boolean) => void})[]>}
 */
const questions = signal([]);
let count = 0;

/**
 * Resolves to whether the answer is the button `yes`. Cancel, which has the focus, and Escape are no.
 * @param {Question} asked
 * @returns {Promise<boolean>}
 */
export function ask(asked) {
	return new Promise((resolve) => {
		const number = ++count;
		questions.value = [...questions.value, {...asked, number, answer(yes) {
			questions.value = questions.value.filter((other) => other.number !== number);
			resolve(yes);
		}}];
	});
}

/** Where questions appear; once in the page. */
export function Questions() {
	const [first] = questions.value;
	return first && <Asked key={first.number} {...first}/>;
}

/** @param {Question & {answer: (yes: boolean) => void}} props */
function Asked({text, yes, typed, answer}) {
	const [written, write] = useState("");
	const ready = typed === undefined || written === typed;
	return (
		<Dialog label={text} role="alertdialog" onClose={(value) => answer(value === "yes")}>
			<form method="dialog">
				<p>{text}</p>
				{typed !== undefined && (
					<label>
						<span>Type <strong>{typed}</strong> to go on</span>
						<input name="typed" autocomplete="off" value={written}
							onInput={({currentTarget}) => write(currentTarget.value)}/>
					</label>
				)}
				<div class="actions">
					<button value="no" autofocus>Cancel</button>
					<button value="yes" class="danger" disabled={!ready}>{yes}</button>
				</div>
			</form>
		</Dialog>
	);
}
