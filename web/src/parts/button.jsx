import {Failure} from "./failure.jsx";

/**
 * A button that says that it is at work. It is not disabled meanwhile, which would take the focus
 * from people without a mouse; a second press is none.
 *
 * @param {{busy?: boolean, children: any, class?: string, type?: "button" | "submit",
 *	onClick?: () => void, [more: string]: any}} props
 */
export function Button({busy = false, children, type = "button", ...rest}) {
	return <button type={type} aria-busy={busy} {...rest}>{children}</button>;
}

/**
 * A button for an action, with what went wrong beside it.
 *
 * @param {{action: import("../action.js").Action<[]>, children: any, class?: string, label?: string}} props
 *	`label`: more than the visible words, where several buttons have the same
 */
export function Act({action, children, label, ...rest}) {
	return (
		<>
			<Button busy={action.busy} onClick={action.run} aria-label={label} {...rest}>{children}</Button>
			<Failure action={action}/>
		</>
	);
}

/**
 * A button that copies a text, and says so.
 * @param {{text: string, what: string}} props
 */
export function Copy({text, what}) {
	const copy = async (/** @type {MouseEvent} */ event) => {
		const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
		await navigator.clipboard.writeText(text);
		button.textContent = "Copied";
		setTimeout(() => button.textContent = "Copy", 2000);
	};
	return <button type="button" class="quiet" aria-label={`Copy ${what}`} aria-live="polite" onClick={copy}>Copy</button>;
}
