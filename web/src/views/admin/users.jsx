import {useState} from "preact/hooks";
import {get} from "../../api.js";
import {Field, Form} from "../../parts/form.jsx";
import {Reading} from "../../parts/reading.jsx";
import {Time} from "../../parts/time.jsx";
import {useResource} from "../../resource.js";

export function Users() {
	const [keyword, search] = useState("");
	const list = useResource(
		() => /** @type {Promise<{items: Person[], total: number}>} */ (get(`/api/admin/users?keyword=${encodeURIComponent(keyword)}`)),
		{deps: [keyword]},
	);
	return (
		<section>
			<h2>Users</h2>
			<Form label="Search" role="search" submit={async (values) => search(values.keyword)}>
				<Field label="A part of the name" name="keyword" type="search" maxLength={100}/>
			</Form>
			<Reading of={list}>{({items, total}) => (
				<>
					<p role="status">{items.length < total ? `The first ${items.length} of ${total}` : total}{total === 1 ? " user" : " users"}</p>
					<table>
						<caption class="unseen">Users</caption>
						<tbody>{items.map((one) => <Row key={one.id} {...one}/>)}</tbody>
					</table>
				</>
			)}</Reading>
		</section>
	);
}

/** @param {Person} person */
function Row(person) {
	const {name, role, projects, providers, lastSeenAt} = person;
	return (
		<tr>
			<td><bdi>{name}</bdi>{role === "admin" && " (administrator)"}</td>
			<td>{projects} {projects === 1 ? "project" : "projects"}</td>
			<td>{providers?.toLowerCase() ?? "no login"}</td>
			<td>{lastSeenAt === null ? "No session" : <>Seen <Time at={lastSeenAt}/></>}</td>
			<td><Standing {...person}/></td>
		</tr>
	);
}

/** @param {Person} props */
function Standing({deletedAt, disabledAt, invitedUntil}) {
	if (deletedAt !== null)
		return <>Being deleted since <Time at={deletedAt}/></>;
	if (disabledAt !== null)
		return <>Disabled <Time at={disabledAt}/></>;
	return invitedUntil === null ? "" : <>Invited, until <Time at={invitedUntil}/></>;
}
