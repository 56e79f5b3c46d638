import {useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {call, post} from "../../api.js";
import {Act, Copy} from "../../parts/button.jsx";
import {Field, Form} from "../../parts/form.jsx";
import {Time} from "../../parts/time.jsx";

/** @typedef {{name: string, link: string, expiresAt: string}} Invitation */

/** Somebody new gets a link, by which they set a password that nobody else has seen. @param {{reload: () => Promise<void>}} props */
export function Invite({reload}) {
	const [made, setMade] = useState(/** @type {Invitation | null} */ (null));
	const invite = async (/** @type {Record<string, string>} */ {name, days}, /** @type {HTMLFormElement} */ form) => {
		setMade(null);
		setMade(await post("/api/admin/invitations", {name, days: Number(days)}));
		form.reset();
		await reload();
	};
	return (
		<details>
			<summary>Invite somebody</summary>
			<p>
				Make a link and send it to them yourself. With it they set a password and are logged in. For somebody who has not used
				theirs, the same name makes a new one.
			</p>
			<Form label="Make a link" submit={invite}>
				<Field label="Name to log in with" name="name" required maxLength={64} autocomplete="off"
					pattern="[A-Za-z0-9][A-Za-z0-9._@\-]*" title="Letters, digits and . _ @ -, beginning with a letter or a digit"/>
				<Field label="Days until it expires" name="days" type="number" required min={1} max={30} defaultValue="7"/>
			</Form>
			{made !== null && <Made {...made}/>}
		</details>
	);
}

/** @param {Invitation} props */
function Made({name, link, expiresAt}) {
	return (
		<p class="made" role="status">
			For <bdi>{name}</bdi>: it works once, and expires <Time at={expiresAt}/>. Copy it now, it is not shown again: <code>{link}</code>{" "}
			<Copy text={link} what="the link"/>
		</p>
	);
}

/** @param {{person: Person, reload: () => Promise<void>}} props */
export function Withdraw({person: {id, name}, reload}) {
	const withdraw = useAction(async () => {
		await call("DELETE", `/api/admin/users/${id}/invitation`);
		await reload();
	});
	return <Act action={withdraw} label={`Withdraw the link of ${name}`}>Withdraw link</Act>;
}
