/**
 * What a resource has: its data as `children` shows it, that it is being read, or why not.
 *
 * @template T
 * @param {{of: import("../resource.js").Resource<T>, children: (data: T) => any}} props
 */
export function Reading({of: {data, error, loading, stale}, children}) {
	if (loading)
		return <p class="loading" role="status">Loading…</p>;
	return (
		<>
			{error !== null && !(error instanceof TypeError) && (
				<p class="failure" role="alert">{stale ? `What is shown may be old: ${error.message}` : error.message}</p>
			)}
			{data === undefined
				? error instanceof TypeError && <p class="loading" role="status">Waiting for the site…</p>
				: children(data)}
		</>
	);
}
