import {useId} from "preact/hooks";
import {get} from "../api.js";
import {Field} from "./form.jsx";
import {useResource} from "../resource.js";

/** The sizes that the site offers for sandboxes; undefined until they are known. */
export function useSizes() {
	const {data} = useResource(() => get("/api/sizes"));
	return /** @type {Size[] | undefined} */ (data?.items);
}

/** Likewise, the images; undefined, too, when there is nothing to choose from. */
export function useImages() {
	const {data} = useResource(() => get("/api/images"));
	const images = /** @type {Images | undefined} */ (data);
	return images && images.items.length + images.patterns.length > 0 ? images : undefined;
}

/** Likewise, the templates of projects. */
export function useTemplates() {
	const {data} = useResource(() => get("/api/templates"));
	const items = /** @type {Template[] | undefined} */ (data?.items);
	return items && items.length > 0 ? items : undefined;
}

/** A choice of a template; "" is none. @param {{templates: Template[]}} props */
export function TemplateChoice({templates}) {
	return (
		<label>
			<span>Template</span>
			<select name="template">
				<option value="">none</option>
				{templates.map(({name, description}) => (
					<option key={name} value={name}>{description ? `${name}: ${description}` : name}</option>
				))}
			</select>
			<small>Says what you leave at the site’s default, and adds variables and ports.</small>
		</label>
	);
}

/**
 * A choice of a size; "" is the site's default.
 * @param {{sizes: Size[], value?: string | null, label?: string}} props
 */
export function SizeChoice({sizes, value, label = "Size"}) {
	return <Choice label={label} name="size" offers={sizes.map(({name, cpuLimit, memoryLimit, description}) => (
		{name, words: `${name}: ${cpuLimit} CPU, ${memoryLimit} memory${description && `, ${description}`}`}))} value={value}/>;
}

/**
 * A choice of an image, also by its reference where the site allows that; "" is the site's default.
 * @param {{images: Images, value?: string | null, label?: string}} props
 */
export function ImageChoice({images: {items, patterns}, value, label = "Image"}) {
	const id = useId();
	const offers = items.map(({name, description}) => ({name, words: description ? `${name}: ${description}` : name}));
	if (patterns.length === 0)
		return <Choice label={label} name="image" offers={offers} value={value}/>;
	const allowed = patterns.map(({pattern}) => pattern).join(", ");
	return (
		<>
			<Field label={label} name="image" list={id} maxLength={512} defaultValue={value ?? ""} autocomplete="off"
				hint={`Nothing for the site's default, ${items.length > 0 ? "a name from the list, " : ""}or one like ${allowed}`}/>
			<datalist id={id}>
				{offers.map(({name, words}) => <option key={name} value={name}>{words}</option>)}
			</datalist>
		</>
	);
}

/** @param {{label: string, name: string, offers: {name: string, words: string}[], value?: string | null}} props */
function Choice({label, name, offers, value}) {
	const known = !value || offers.some((offer) => offer.name === value);
	return (
		<label>
			<span>{label}</span>
			<select name={name}>
				<option value="">the site's default</option>
				{!known && <option value={value} selected>{value}, no longer offered</option>}
				{offers.map((offer) => (
					<option key={offer.name} value={offer.name} selected={offer.name === value}>{offer.words}</option>
				))}
			</select>
		</label>
	);
}
