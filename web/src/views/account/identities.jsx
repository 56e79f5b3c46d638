import {useRef, useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {call, get, post} from "../../api.js";
import {bindIdentity} from "../../bind.js";
import {Act} from "../../parts/button.jsx";
import {Field, Form} from "../../parts/form.jsx";
import {Reading} from "../../parts/reading.jsx";
import {useResource} from "../../resource.js";
import {elsewhere, useProviders} from "../login.jsx";

const STORED_AS = /** @type {Record<string, string>} */ ({
	credentials: "PASSWORD", sealos: "SEALOS", github: "GITHUB", oidc: "GOOGLE",
});

/** What the providers of this site are called, by how identities are stored. @param {Record<string, Provider>} providers */
function titlesOf(providers) {
	const titles = Object.values(providers).map(({id, name}) => [STORED_AS[id], name]);
	return /** @type {Record<string, string>} */ ({...Object.fromEntries(titles), PASSWORD: "Password"});
}

/** The accounts by which somebody logs in, and those that can be added. */
export function Identities() {
	const providers = useProviders();
	const titles = titlesOf(providers);
	const list = useResource(() => get("/api/auth/identities"));
	return (
		<section>
			<h2>Logging in</h2>
			<Reading of={list}>
				{({items}) => (
					<>
						<table>
							<caption class="unseen">Accounts by which you log in</caption>
							<tbody>
								{items.map((/** @type {Identity} */ identity) => (
									<Row key={identity.id} identity={identity} alone={items.length < 2} reload={list.reload}
										title={titles[identity.provider] ?? identity.provider}/>
								))}
							</tbody>
						</table>
						{items.some((/** @type {Identity} */ {provider}) => provider === "PASSWORD") && <Password/>}
					</>
				)}
			</Reading>
			<div class="actions">
				{elsewhere(providers).map((provider) => <Add key={provider.id} provider={provider} reload={list.reload}/>)}
			</div>
		</section>
	);
}

/** @param {{identity: Identity, title: string, alone: boolean, reload: () => Promise<void>}} props */
function Row({identity, title, alone, reload}) {
	const path = `/api/auth/identities/${identity.id}`;
	const prefer = useAction(async () => {
		await post(`${path}/primary`);
		await reload();
	});
	const unbind = useAction(async () => {
		await call("DELETE", path);
		await reload();
	});
	return (
		<tr>
			<td>{title}</td>
			<td><bdi>{identity.name}</bdi></td>
			<td>{identity.isPrimary ? <strong>Primary</strong>
				: <Act action={prefer} label={`Make primary: ${title}`}>Make primary</Act>}</td>
			<td>{!alone && <Act action={unbind} label={`Unbind ${title}`}>Unbind</Act>}</td>
		</tr>
	);
}

/** @param {{provider: Provider, reload: () => Promise<void>}} props */
function Add({provider, reload}) {
	const add = useAction(async () => {
		await bindIdentity(provider.id, post);
		await reload();
	});
	return <Act action={add}>Add {provider.name}</Act>;
}

/** Ends all other access, too, which the API does by itself. */
function Password() {
	const details = useRef(/** @type {HTMLDetailsElement | null} */ (null));
	const [changed, setChanged] = useState(false);
	const change = async (/** @type {Record<string, string>} */ values, /** @type {HTMLFormElement} */ form) => {
		setChanged(false);
		await call("PUT", "/api/auth/password", {password: values.password, newPassword: values.newPassword});
		form.reset();
		setChanged(true);
		if (details.current)
			details.current.open = false;
	};
	return (
		<>
			<details ref={details}>
				<summary>Change the password</summary>
				<Form label="Change" submit={change}>
					<Field label="Present password" name="password" type="password" required autocomplete="current-password"
						maxLength={1024}/>
					<Field label="New password" name="newPassword" type="password" required autocomplete="new-password"
						minLength={8} maxLength={1024} hint="At least 8 characters"/>
				</Form>
			</details>
			<p class="done" role="status">{changed && "The password is changed, and all other access has ended."}</p>
		</>
	);
}
