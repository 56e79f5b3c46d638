import {Questions} from "./parts/ask.jsx";
import {Banners} from "./parts/banners.jsx";
import {Link} from "./parts/link.jsx";
import {Nothing} from "./parts/nothing.jsx";
import {useAction} from "./action.js";
import {Act} from "./parts/button.jsx";
import {sessionEnded} from "./api.js";
import {fragment, match, navigate, path} from "./router.js";
import {logOut, user} from "./session.js";
import {Account} from "./views/account.jsx";
import {Administration} from "./views/admin.jsx";
import {Device} from "./views/device.jsx";
import {Ended} from "./views/ended.jsx";
import {Invitation, invited} from "./views/invitation.jsx";
import {Join, joining} from "./views/join.jsx";
import {Login} from "./views/login.jsx";
import {Project} from "./views/project.jsx";
import {Projects} from "./views/projects.jsx";
import {Settings} from "./views/settings.jsx";
import {Trash} from "./views/trash.jsx";
import {Visit} from "./views/visit.jsx";
import {Wake} from "./views/wake.jsx";

/** The views by their addresses; a view gets the parameters of its address. */
const VIEWS = /** @type {[string, (parameters: any) => any][]} */ ([
	["/projects", Projects],
	["/projects/:id", Project],
	["/projects/:id/:tab", Project],
	["/trash", Trash],
	["/settings", Settings],
	["/account", Account],
	["/device", Device],
	["/visit", Visit],
	["/admin", Administration],
]);

export function App() {
	const invitation = waking() ? null : invited(fragment.value);
	const who = invitation ? null : user.value;
	return (
		<>
			<a class="skip" href="#main">Skip to the content</a>
			<header>
				<Link class="brand" to="/projects">FullStack Agent</Link>
				{who && <Navigation user={who}/>}
			</header>
			<Banners/>
			<main id="main">{invitation ? <Invitation {...invitation}/> : <View/>}</main>
			<Questions/>
			{who && sessionEnded.value && <Ended/>}
		</>
	);
}

/** Behind the # of this address stands what belongs to an application. */
const waking = () => match("/wake", path.value) !== null;

/** @param {{user: User}} props */
function Navigation({user: {name, role}}) {
	const leave = useAction(logOut);
	const links = [["/projects", "Projects"], ["/settings", "Settings"], ["/account", name]];
	if (role === "admin")
		links.splice(2, 0, ["/admin", "Administration"]);
	return (
		<nav aria-label="Console">
			{links.map(([to, words]) => (
				<Link key={to} to={to} aria-current={path.value.startsWith(to) ? "page" : undefined}>
					<bdi>{words}</bdi>
				</Link>
			))}
			<Act action={leave}>Log out</Act>
		</nav>
	);
}

function View() {
	if (waking())
		return <Wake/>;
	if (user.value === undefined)
		return <p class="loading" role="status">Loading…</p>;
	if (user.value === null)
		return <Login/>;
	const token = joining(fragment.value);
	if (token)
		return <Join token={token}/>;
	if (path.value === "/")
		queueMicrotask(() => navigate("/projects", {replace: true}));
	for (const [pattern, Shown] of VIEWS) {
		const parameters = match(pattern, path.value);
		if (parameters)
			return <Shown {...parameters}/>;
	}
	return path.value === "/" ? null : <Nothing/>;
}
