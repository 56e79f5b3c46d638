import {Heading} from "../parts/heading.jsx";
import {Activity} from "./account/activity.jsx";
import {Identities} from "./account/identities.jsx";
import {Sessions} from "./account/sessions.jsx";
import {Tokens} from "./account/tokens.jsx";

export function Account() {
	return (
		<>
			<Heading title="Account"/>
			<Identities/>
			<Sessions/>
			<Tokens/>
			<Activity/>
		</>
	);
}
