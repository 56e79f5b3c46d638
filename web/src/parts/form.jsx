import {useRef} from "preact/hooks";
import {useAction} from "../action.js";
import {Button} from "./button.jsx";
import {Failure} from "./failure.jsx";

/**
 * A form: `submit` gets the fields' values by their names. What was typed stays when it fails.
 *
 * @param {{label: string, children: any, class?: string, disabled?: boolean,
 *	submit: (values: Record<string, string>, form: HTMLFormElement) => Promise<any>, cancel?: () => void,
 *	[more: string]: any}} props `label` is the button's; `disabled` leaves what it says and takes nothing;
 *	with `cancel` there is a button for it, which always works
 */
export function Form({label, children, submit, cancel, disabled = false, ...rest}) {
	const form = useRef(/** @type {HTMLFormElement | null} */ (null));
	const action = useAction(submit);
	const send = (/** @type {Event} */ event) => {
		event.preventDefault();
		const element = /** @type {HTMLFormElement} */ (form.current);
		const values = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(element)));
		action.run(values, element);
	};
	return (
		<form ref={form} onSubmit={send} {...rest}>
			<fieldset disabled={disabled}>{children}</fieldset>
			<div class="actions">
				<Button type="submit" busy={action.busy} disabled={disabled}>{label}</Button>
				{cancel && <Button class="quiet" onClick={cancel}>Cancel</Button>}
			</div>
			<Failure action={action}/>
		</form>
	);
}

/**
 * @param {{label: string, name: string, hint?: any, [more: string]: any}} props
 */
export function Field({label, name, hint, ...rest}) {
	return (
		<label>
			<span>{label}</span>
			<input name={name} {...rest}/>
			{hint && <small>{hint}</small>}
		</label>
	);
}

/** @param {{label: string, name: string, [more: string]: any}} props */
export function Check({label, name, ...rest}) {
	return <label class="check"><input type="checkbox" name={name} {...rest}/>{label}</label>;
}
