import {get} from "../api.js";
import {useResource} from "../resource.js";

/** The sizes that the site offers for sandboxes; undefined until they are known. */
export function useSizes() {
	const {data} = useResource(() => get("/api/sizes"));
	return /** @type {Size[] | undefined} */ (data?.items);
}

/** A choice of one of them; "" is the site's default. @param {{sizes: Size[], value?: string | null}} props */
export function SizeChoice({sizes, value}) {
	const known = !value || sizes.some(({name}) => name === value);
	return (
		<label>
			<span>Size</span>
			<select name="size" defaultValue={value ?? ""}>
				<option value="">the site's default</option>
				{!known && <option value={value}>{value}, no longer offered</option>}
				{sizes.map((size) => <option key={size.name} value={size.name}>{words(size)}</option>)}
			</select>
		</label>
	);
}

/** @param {Size} size */
function words({name, cpuLimit, memoryLimit, description}) {
	return `${name}: ${cpuLimit} CPU, ${memoryLimit} memory${description && `, ${description}`}`;
}
