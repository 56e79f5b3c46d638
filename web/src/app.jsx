import {Questions} from "./parts/ask.jsx";
import {Banners} from "./parts/banners.jsx";
import {Heading} from "./parts/heading.jsx";
import {Link} from "./parts/link.jsx";
import {useAction} from "./action.js";
import {Act} from "./parts/button.jsx";
import {sessionEnded} from "./api.js";
import {fragment, match, navigate, path} from "./router.js";
import {logOut, user} from "./session.js";
import {Account} from "./views/account.jsx";
import {Ended} from "./views/ended.jsx";
import {Invitation, invited} from "./views/invitation.jsx";
import {Login} from "./views/login.jsx";
import {Project} from "./views/project.jsx";
import {Projects} from "./views/projects.jsx";
import {Settings} from "./views/settings.jsx";

/** The views by their addresses; a view gets the parameters of its address. */
const VIEWS = /** @type {[string, (parameters: any) => any][]} */ ([
	["/projects", Projects],
	["/projects/:id", Project],
	["/projects/:id/:tab", Project],
	["/settings", Settings],
	["/account", Account],
]);

export function App() {
	const invitation = invited(fragment.value);
	const who = invitation ? null : user.value;
	return (
		<>
			<a class="skip" href="#main">Skip to the content</a>
			<header>
				<Link class="brand" to="/projects">FullStack Agent</Link>
				{who && <Navigation name={who.name}/>}
			</header>
			<Banners/>
			<main id="main">{invitation ? <Invitation {...invitation}/> : <View/>}</main>
			<Questions/>
			{who && sessionEnded.value && <Ended/>}
		</>
	);
}

/** @param {{name: string}} props */
function Navigation({name}) {
	const leave = useAction(logOut);
	const links = [["/projects", "Projects"], ["/settings", "Settings"], ["/account", name]];
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
	if (user.value === undefined)
		return <p class="loading" role="status">Loading…</p>;
	if (user.value === null)
		return <Login/>;
	if (path.value === "/")
		queueMicrotask(() => navigate("/projects", {replace: true}));
	for (const [pattern, Shown] of VIEWS) {
		const parameters = match(pattern, path.value);
		if (parameters)
			return <Shown {...parameters}/>;
	}
	return path.value === "/" ? null : <Nothing/>;
}

function Nothing() {
	return (
		<section class="narrow">
			<Heading title="Nothing here"/>
			<p>This address leads nowhere. <Link to="/projects">To your projects</Link></p>
		</section>
	);
}
