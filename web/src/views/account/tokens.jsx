import {useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {call, get, post} from "../../api.js";
import {Act, Copy} from "../../parts/button.jsx";
import {Check, Field, Form} from "../../parts/form.jsx";
import {Reading} from "../../parts/reading.jsx";
import {Time} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";

export function Tokens() {
	const list = useResource(() => get("/api/user/tokens"));
	return (
		<section>
			<h2>API tokens</h2>
			<Reading of={list}>
				{({items}) => items.length > 0 && (
					<table>
						<caption class="unseen">Your API tokens</caption>
						<tbody>{items.map((/** @type {ApiToken} */ one) => <Row key={one.id} token={one} reload={list.reload}/>)}</tbody>
					</table>
				)}
			</Reading>
			<p>
				For curl and CI: <code>Authorization: Bearer fsa_…</code>. They last 90 days. Withdrawing one that may
				change things restarts your terminals.
			</p>
			<NewToken reload={list.reload}/>
		</section>
	);
}

/** @param {{token: ApiToken, reload: () => Promise<void>}} props */
function Row({token: {id, name, scope, expired, expiresAt, lastUsedAt}, reload}) {
	const withdraw = useAction(async () => {
		await call("DELETE", `/api/user/tokens/${id}`);
		await reload();
	});
	return (
		<tr>
			<td><bdi>{name}</bdi></td>
			<td>{scope === "write" ? "reads and writes" : "reads"}</td>
			<td>{expired ? "Expired" : "Expires"} <Time at={expiresAt}/></td>
			<td>{lastUsedAt === null ? "never used" : <>Last used <Time at={lastUsedAt}/></>}</td>
			<td><Act action={withdraw} label={`Withdraw ${name}`}>Withdraw</Act></td>
		</tr>
	);
}

/** @param {{reload: () => Promise<void>}} props */
function NewToken({reload}) {
	const [made, setMade] = useState(/** @type {string | null} */ (null));
	const [asksPassword, askPassword] = useState(false);
	const create = async (/** @type {Record<string, string>} */ values, /** @type {HTMLFormElement} */ form) => {
		const wanted = {name: values.name, scope: "write" in values ? "write" : "read"};
		const {token} = await post("/api/user/tokens", values.password ? {...wanted, password: values.password} : wanted)
			.catch((error) => {
				askPassword(asksPassword || error.code === "LOGIN_NOT_RECENT");
				throw error;
			});
		askPassword(false);
		setMade(token);
		form.reset();
		await reload();
	};
	return (
		<>
			{made && <p class="made" role="status">Copy it now, it is not shown again: <code>{made}</code> <Copy text={made} what="the token"/></p>}
			<Form label="Make a token" submit={create}>
				<Field label="Name" name="name" required maxLength={64} autocomplete="off"/>
				<Check label="may change things" name="write"/>
				{asksPassword && (
					<Field label="Your password, as your login is older than 10 minutes" name="password" type="password"
						autocomplete="current-password" maxLength={1024}/>
				)}
			</Form>
		</>
	);
}
