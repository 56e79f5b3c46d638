import {Dialog} from "../parts/dialog.jsx";
import {logOut, user} from "../session.js";
import {elsewhere, PasswordForm, useProviders} from "./login.jsx";
import {useAction} from "../action.js";
import {Act} from "../parts/button.jsx";

/** Over a view whose session has ended: what was typed there stays. */
export function Ended() {
	const providers = useProviders();
	const leave = useAction(logOut);
	return (
		<Dialog label="Your session has ended" onClose={leave.run}>
			<h2>Your session has ended</h2>
			<p>Log in again to go on where you are.</p>
			<PasswordForm name={user.value?.name}/>
			<div class="actions">
				{elsewhere(providers).map(({id, name, signinUrl}) => (
					<a key={id} class="button" href={signinUrl}>Log in with {name}</a>
				))}
				<Act action={leave} class="quiet">Leave</Act>
			</div>
		</Dialog>
	);
}
