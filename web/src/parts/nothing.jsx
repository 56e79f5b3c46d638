import {Heading} from "./heading.jsx";
import {Link} from "./link.jsx";

/** What an address that leads nowhere shows. */
export function Nothing() {
	return (
		<section class="narrow">
			<Heading title="Nothing here"/>
			<p>This address leads nowhere. <Link to="/projects">To your projects</Link></p>
		</section>
	);
}
