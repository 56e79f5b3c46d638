import {useEffect, useRef} from "preact/hooks";

/**
 * A dialog over the page, for as long as it is rendered. Escape closes it; the focus then is where
 * it was.
 *
 * @param {{label: string, role?: "dialog" | "alertdialog", children: any,
 *	onClose: (value: string) => void}} props `value` is that of the button that closed it
 */
export function Dialog({label, role = "dialog", children, onClose}) {
	const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
	useEffect(() => {
		const dialog = /** @type {HTMLDialogElement} */ (element.current);
		dialog.showModal();
		return () => dialog.close();
	}, []);
	return (
		<dialog ref={element} role={role} aria-label={label}
			onClose={({currentTarget}) => onClose(currentTarget.returnValue)}>
			{children}
		</dialog>
	);
}
