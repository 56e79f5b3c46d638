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

/** @type {import("@preact/signals").Signal<(Question & {answer: (yes: boolean) => void}) | null>} */
const question = signal(null);

/**
 * Resolves to whether the answer is the button `yes`. Cancel, which has the focus, and Escape are no.
 * @param {Question} asked
 * @returns {Promise<boolean>}
 */
export function ask(asked) {
	return new Promise((resolve) => {
		question.value = {...asked, answer(yes) {
			question.value = null;
			resolve(yes);
		}};
	});
}

/** Where questions appear; once in the page. */
export function Questions() {
	const asked = question.value;
	return asked && <Asked key={asked.text} {...asked}/>;
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
