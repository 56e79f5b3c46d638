import {Heading} from "../parts/heading.jsx";
import {Nothing} from "../parts/nothing.jsx";
import {user} from "../session.js";
import {Health} from "./admin/health.jsx";
import {SiteState} from "./admin/state.jsx";
import {Stuck} from "./admin/stuck.jsx";
import {Users} from "./admin/users.jsx";

/** What concerns all users of the site, for those with the role. */
export function Administration() {
	if (user.value?.role !== "admin")
		return <Nothing/>;
	return (
		<>
			<Heading title="Administration"/>
			<SiteState/>
			<Health/>
			<Stuck/>
			<Users/>
		</>
	);
}
