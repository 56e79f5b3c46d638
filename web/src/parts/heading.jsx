import {useEffect, useRef} from "preact/hooks";
import {path} from "../router.js";

/** The address whose view has had the focus: links lead to a heading, and so does the keyboard. */
let focused = path.peek();

/**
 * The heading of a view, which is the page's title, too. It gets the focus when a link has led here.
 *
 * @param {{title: string, children?: any, at?: string}} props `at`: what of the address makes the view
 *	another one; parts of it that are beneath leave the focus where it is
 */
export function Heading({title, children, at = path.value}) {
	const element = useRef(/** @type {HTMLHeadingElement | null} */ (null));
	useEffect(() => {
		document.title = `${title} · FullStack Agent`;
	}, [title]);
	useEffect(() => {
		if (focused !== at)
			element.current?.focus();
		focused = at;
	}, [at]);
	return <h1 ref={element} tabIndex={-1}><bdi>{title}</bdi>{children}</h1>;
}
