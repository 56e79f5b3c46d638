/**
 * What went wrong with an action, at its place, until it is dismissed or tried again.
 * @param {{action: {error: any, dismiss: () => void}}} props
 */
export function Failure({action: {error, dismiss}}) {
	if (error === null)
		return null;
	return (
		<div class="failed" role="alert">
			<p class="failure">{error instanceof TypeError ? "The site does not answer: try again" : error.message}</p>
			{error.remedy && <pre class="remedy" tabIndex={0}>{error.remedy}</pre>}
			<button type="button" class="quiet" onClick={dismiss}>Dismiss</button>
		</div>
	);
}
