// Somebody allows a program on a machine without a browser to act for them: `fsa login` shows a code
// there, which is typed here. What asks, and from where, is said before anything is granted.

import {useState} from "preact/hooks";
import {useAction} from "../action.js";
import {get, post} from "../api.js";
import {Act, Button} from "../parts/button.jsx";
import {Field, Form} from "../parts/form.jsx";
import {Heading} from "../parts/heading.jsx";
import {Link} from "../parts/link.jsx";
import {Time} from "../parts/time.jsx";

/** @typedef {{code: string, name: string, scope: string, address: string | null, createdAt: string}} Asking */

export function Device() {
	const [asking, setAsking] = useState(/** @type {Asking | null} */ (null));
	const [answer, setAnswer] = useState(/** @type {"allowed" | "refused" | null} */ (null));
	const again = () => {
		setAsking(null);
		setAnswer(null);
	};
	return (
		<section class="narrow">
			<Heading title="Log in on another machine"/>
			{answer === "allowed" && <p role="status">Done: go on there. You can withdraw its token in <Link to="/account">your account</Link>.</p>}
			{answer === "refused" && <p role="status">Refused. It has got nothing.</p>}
			{answer === null && (asking === null ? <Code found={setAsking}/> : <Answer asking={asking} answered={setAnswer}/>)}
			{asking !== null && <Button class="quiet" onClick={again}>Enter another code</Button>}
		</section>
	);
}

/** @param {{found: (asking: Asking) => void}} props */
function Code({found}) {
	const find = async (/** @type {Record<string, string>} */ {code}) =>
		found({code, ...await get(`/api/auth/device?code=${encodeURIComponent(code.trim())}`)});
	return (
		<Form label="Continue" submit={find}>
			<Field label="The code that it shows" name="code" required maxLength={20} autocomplete="off" autocapitalize="characters"
				spellcheck={false} placeholder="BCDF-GHJK" hint="Eight letters, from a program that you have just started yourself."/>
		</Form>
	);
}

/** @param {{asking: Asking, answered: (answer: "allowed" | "refused") => void}} props */
function Answer({asking: {code, name, scope, address, createdAt}, answered}) {
	const [asksPassword, askPassword] = useState(false);
	const answer = (/** @type {boolean} */ allow, password = "") =>
		post("/api/auth/device/answer", {userCode: code.trim(), allow, ...(password && {password})});
	const refuse = useAction(async () => {
		await answer(false);
		answered("refused");
	});
	const allow = async (/** @type {Record<string, string>} */ {password}) => {
		await answer(true, password).catch((error) => {
			askPassword(asksPassword || error.code === "LOGIN_NOT_RECENT");
			throw error;
		});
		answered("allowed");
	};
	return (
		<>
			<p>
				<strong><bdi>{name}</bdi></strong> asks to {scope === "write" ? "read and change" : "read"} your projects for 90 days,
				from the address <strong>{address ?? "(unknown)"}</strong>, since <Time at={createdAt}/>.
			</p>
			<p class="warning">
				Allow it only if you have started it yourself, on a machine of yours, and it shows this code. Whoever has sent you
				the code wants to get into your projects, whatever they say.
			</p>
			<Form label="Allow" submit={allow}>
				{asksPassword && (
					<Field label="Your password, as your login is older than 10 minutes" name="password" type="password"
						autocomplete="current-password" maxLength={1024}/>
				)}
			</Form>
			<Act action={refuse}>Refuse</Act>
		</>
	);
}
