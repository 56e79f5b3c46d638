// Where an invitation's link leads to: somebody sets a password of their own, and is logged in. It is
// for somebody who cannot log in yet, whoever has a session in this browser.

import {post} from "../api.js";
import {Field, Form} from "../parts/form.jsx";
import {Heading} from "../parts/heading.jsx";
import {navigate} from "../router.js";
import {enter} from "../session.js";

/** What such a link says, or null. @param {string} fragment */
export function invited(fragment) {
	const found = /^\/invite\/([^/]+)\/([A-Za-z0-9_-]{43})$/.exec(fragment);
	return found && {name: readable(found[1]), token: found[2]};
}

/** @param {string} escaped */
function readable(escaped) {
	try {
		return decodeURIComponent(escaped);
	} catch {
		return escaped; // a link that was cut off or changed: the API will say so
	}
}

/** @param {{name: string, token: string}} props */
export function Invitation({name, token}) {
	const accept = async (/** @type {Record<string, string>} */ {password, again}) => {
		if (password !== again)
			throw new Error("The two are not the same.");
		await post("/api/auth/invitation", {token, password});
		// The link is used up: it is not to stay in the browser's history.
		navigate("/projects", {replace: true});
		await enter();
	};
	const secret = {type: "password", required: true, autocomplete: "new-password", minLength: 8, maxLength: 1024};
	return (
		<section class="narrow">
			<Heading title="Set your password" at="invitation"/>
			<Form label="Set it, and log in" submit={accept}>
				<Field label="Name" name="name" readOnly autocomplete="username" value={name}/>
				<Field label="Password" name="password" {...secret}/>
				<Field label="The same again" name="again" {...secret}/>
			</Form>
		</section>
	);
}
