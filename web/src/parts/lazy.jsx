import {useEffect, useState} from "preact/hooks";

/**
 * A view whose code is loaded when it is shown for the first time.
 *
 * @template P
 * @param {() => Promise<(props: P) => any>} load
 * @returns {(props: P) => any}
 */
export function lazy(load) {
	let known = /** @type {((props: P) => any) | null} */ (null);
	return function Lazy(props) {
		const [failure, setFailure] = useState("");
		const [, setLoaded] = useState(known !== null);
		useEffect(() => {
			load().then((View) => {
				known = View;
				setLoaded(true);
			}, () => setFailure("This part could not be loaded. Reload the page."));
		}, []);
		const View = /** @type {any} */ (known);
		if (View !== null)
			return <View {...props}/>;
		return <p class="loading" role={failure ? "alert" : "status"}>{failure || "Loading…"}</p>;
	};
}
