const STAGES = /** @type {Record<string, string>} */ ({
	database: "Database", container: "Container", network: "Network", terminal: "Terminal", ready: "Ready",
});
const STATES = /** @type {Record<string, string>} */ ({
	done: "done", active: "under way", failed: "failed", pending: "not yet",
});

/** How far a start is. @param {{stages: {name: string, state: string}[]}} props */
export function Stages({stages}) {
	return (
		<ol class="stages" aria-label="Progress">
			{stages.map(({name, state}) => (
				<li key={name} data-state={state}>
					{STAGES[name] ?? name}<span class="unseen"> ({STATES[state] ?? state})</span>
				</li>
			))}
		</ol>
	);
}
