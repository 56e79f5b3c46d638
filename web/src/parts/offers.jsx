import {get} from "../api.js";
import {useResource} from "../resource.js";

/** The sizes that the site offers for sandboxes; undefined until they are known. */
export function useSizes() {
	const {data} = useResource(() => get("/api/sizes"));
	return /** @type {Size[] | undefined} */ (data?.items);
}

/** Likewise, the images. */
export function useImages() {
	const {data} = useResource(() => get("/api/images"));
	return /** @type {Image[] | undefined} */ (data?.items);
}

/** A choice of a size; "" is the site's default. @param {{sizes: Size[], value?: string | null}} props */
export function SizeChoice({sizes, value}) {
	return <Choice label="Size" name="size" offers={sizes.map(({name, cpuLimit, memoryLimit, description}) => (
		{name, words: `${name}: ${cpuLimit} CPU, ${memoryLimit} memory${description && `, ${description}`}`}))} value={value}/>;
}

/** A choice of an image; "" is the site's default. @param {{images: Image[], value?: string | null}} props */
export function ImageChoice({images, value}) {
	return <Choice label="Image" name="image" offers={images.map(({name, description}) => (
		{name, words: description ? `${name}: ${description}` : name}))} value={value}/>;
}

/** @param {{label: string, name: string, offers: {name: string, words: string}[], value?: string | null}} props */
function Choice({label, name, offers, value}) {
	const known = !value || offers.some((offer) => offer.name === value);
	return (
		<label>
			<span>{label}</span>
			<select name={name} defaultValue={value ?? ""}>
				<option value="">the site's default</option>
				{!known && <option value={value}>{value}, no longer offered</option>}
				{offers.map((offer) => <option key={offer.name} value={offer.name}>{offer.words}</option>)}
			</select>
		</label>
	);
}
