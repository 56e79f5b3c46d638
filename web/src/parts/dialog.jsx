import {useEffect, useRef} from "preact/hooks";

/**
 * A dialog over the page, for as long as it is rendered. Escape closes it; the focus then is where
 * it was.
 *
 * @param {{label: string, role?: "dialog" | "alertdialog", children: any,
 *	onClose: (value: string) => void}} props `value` is that of the button that closed it; a dialog that
 *	is no longer rendered was not closed by anybody
 */
export function Dialog({label, role = "dialog", children, onClose}) {
	const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
	const rendered = useRef(true);
	useEffect(() => {
		const dialog = /** @type {HTMLDialogElement} */ (element.current);
		dialog.showModal();
		return () => {
			rendered.current = false; // the event comes a moment later
			dialog.close();
		};
	}, []);
	return (
		<dialog ref={element} role={role} aria-label={label}
			onClose={({currentTarget}) => rendered.current && onClose(currentTarget.returnValue)}>
			{children}
		</dialog>
	);
}
