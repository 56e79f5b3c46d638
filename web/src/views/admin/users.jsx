import {useState} from "preact/hooks";
import {useAction} from "../../action.js";
import {get, post} from "../../api.js";
import {ask} from "../../parts/ask.jsx";
import {Act, Button} from "../../parts/button.jsx";
import {Field, Form} from "../../parts/form.jsx";
import {Reading} from "../../parts/reading.jsx";
import {Time, hasPassed} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";
import {Invite, Withdraw} from "./invite.jsx";
import {Limits} from "./limits.jsx";

export function Users() {
	const [keyword, search] = useState("");
	const list = useResource(
		() => /** @type {Promise<{items: Person[], total: number}>} */ (get(`/api/admin/users?keyword=${encodeURIComponent(keyword)}`)),
		{deps: [keyword]},
	);
	return (
		<section>
			<h2>Users</h2>
			<Invite reload={list.reload}/>
			<Form label="Search" role="search" submit={async (values) => search(values.keyword)}>
				<Field label="A part of the name" name="keyword" type="search" maxLength={100}/>
			</Form>
			<Reading of={list}>{({items, total}) => (
				<>
					<p role="status">{items.length < total ? `The first ${items.length} of ${total}` : total}{total === 1 ? " user" : " users"}</p>
					<table>
						<caption class="unseen">Users</caption>
						<tbody>{items.map((one) => <Row key={one.id} person={one} reload={list.reload}/>)}</tbody>
					</table>
				</>
			)}</Reading>
		</section>
	);
}

/** @param {{person: Person, reload: () => Promise<void>}} props */
function Row({person, reload}) {
	const {name, role, projects, providers, lastSeenAt} = person;
	const [limiting, setLimiting] = useState(false);
	return (
		<tr>
			<td><bdi>{name}</bdi>{role === "admin" && " (administrator)"}</td>
			<td>{projects} {projects === 1 ? "project" : "projects"}</td>
			<td>{providers?.toLowerCase() ?? "no login"}</td>
			<td>{lastSeenAt === null ? "No session" : <>Seen <Time at={lastSeenAt}/></>}</td>
			<td><Standing {...person}/></td>
			<td>
				<Button aria-label={`Limits of ${name}`} onClick={() => setLimiting(true)}>Limits</Button>{" "}
				{limiting && <Limits person={person} close={() => setLimiting(false)}/>}
				{person.invitedUntil !== null && <Withdraw person={person} reload={reload}/>}{" "}
				{role === "user" && person.deletedAt === null && <Access person={person} reload={reload}/>}
			</td>
		</tr>
	);
}

/** @param {{person: Person, reload: () => Promise<void>}} props */
function Access({person: {id, name, disabledAt}, reload}) {
	const disable = useAction(async () => {
		const text = `Disable ${name}? All their sessions end, they cannot log in, and terminals restart with other keys. `
			+ "Projects run on.";
		if (!await ask({text, yes: "Disable"}))
			return false;
		await post(`/api/admin/users/${id}/disable`);
		await reload();
	});
	const enable = useAction(async () => {
		await post(`/api/admin/users/${id}/enable`);
		await reload();
	});
	return disabledAt === null
		? <Act action={disable} class="danger" label={`Disable ${name}`}>Disable</Act>
		: <Act action={enable} label={`Enable ${name}`}>Enable</Act>;
}

/** @param {Person} props */
function Standing({deletedAt, disabledAt, invitedUntil, isNew}) {
	if (deletedAt !== null)
		return <>Being deleted since <Time at={deletedAt}/></>;
	if (disabledAt !== null)
		return <>Disabled <Time at={disabledAt}/></>;
	if (invitedUntil === null)
		return isNew ? "Has no password, and no link" : "";
	return <>{hasPassed(invitedUntil) ? "The link expired" : "Invited, the link expires"} <Time at={invitedUntil}/></>;
}
