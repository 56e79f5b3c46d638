/**
 * To another view of the console.
 * @param {{to: string, children: any, [more: string]: any}} props
 */
export function Link({to, children, ...rest}) {
	return <a href={to} data-view {...rest}>{children}</a>;
}

/**
 * To what is not of this site, in a tab of its own.
 * @param {{href: string, children: any, [more: string]: any}} props
 */
export function Outside({href, children, ...rest}) {
	return <a class="button" href={href} target="_blank" rel="noopener noreferrer" {...rest}>{children}</a>;
}
