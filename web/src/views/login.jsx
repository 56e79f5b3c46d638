import {useEffect, useState} from "preact/hooks";
import {get, post} from "../api.js";
import {Field, Form} from "../parts/form.jsx";
import {Heading} from "../parts/heading.jsx";
import {enter, loginFailure} from "../session.js";

/** Of the answer of /api/auth/providers those that a browser is sent to. @param {Record<string, Provider>} providers */
export const elsewhere = (providers) =>
	Object.values(providers).filter(({type}) => type === "oauth" || type === "oidc");

/** The ways to log in besides the password; none while they are not known. */
export function useProviders() {
	const [providers, setProviders] = useState(/** @type {Record<string, Provider>} */ ({}));
	useEffect(() => void get("/api/auth/providers").then(setProviders, () => {}), []);
	return providers;
}

/** @param {string} path */
export const enterBy = (path) => async (/** @type {object} */ values) => {
	await post(path, values);
	await enter();
};

export function Login() {
	const providers = useProviders();
	return (
		<section class="narrow">
			<Heading title="Log in" at="login"/>
			{loginFailure.value !== "" && <p id="notice" class="failure" role="alert">{loginFailure.value}</p>}
			<PasswordForm/>
			<div class="actions">
				{elsewhere(providers).map(({id, name, signinUrl}) => (
					<a key={id} class="button" href={signinUrl}>Log in with {name}</a>
				))}
			</div>
			{providers.credentials?.registration !== false && <Registration/>}
		</section>
	);
}

export function PasswordForm({name = ""}) {
	return (
		<Form label="Log in" submit={enterBy("/api/auth/login")}>
			<Field label="Name" name="name" required autocomplete="username" maxLength={64} defaultValue={name}/>
			<Field label="Password" name="password" type="password" required autocomplete="current-password"
				maxLength={1024} autofocus={name !== ""}/>
		</Form>
	);
}

function Registration() {
	return (
		<details>
			<summary>New here?</summary>
			<Form label="Register" submit={enterBy("/api/auth/register")}>
				<Field label="Name" name="name" required autocomplete="username" maxLength={64}/>
				<Field label="Password" name="password" type="password" required minLength={8} maxLength={1024}
					autocomplete="new-password" hint="At least 8 characters"/>
			</Form>
		</details>
	);
}
