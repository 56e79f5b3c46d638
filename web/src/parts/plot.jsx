const WIDTH = 200, HEIGHT = 40; // of its own units: the element is as wide as there is room

/**
 * A line over the last `span` milliseconds, beneath its limit; without one, as high as it was at most.
 *
 * @param {{points: {at: number, value: number}[], span: number, limit: number | null, label: string}} props
 *	`points`: the oldest first; `label` says in words what is seen
 */
export function Plot({points, span, limit, label}) {
	const end = points.at(-1)?.at ?? 0;
	const top = 1.1 * (limit ?? Math.max(...points.map(({value}) => value), Number.MIN_VALUE));
	const x = (/** @type {number} */ at) => Math.max(WIDTH * (1 - (end - at) / span), 0).toFixed(1);
	const y = (/** @type {number} */ value) => (HEIGHT * (1 - Math.min(value / top, 1))).toFixed(1);
	const line = points.filter(({at}) => end - at <= span).map(({at, value}) => `${x(at)},${y(value)}`);
	return (
		<svg class="plot" role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
			{limit !== null && <line class="limit" x1="0" x2={WIDTH} y1={y(limit)} y2={y(limit)}/>}
			{line.length > 1 && (
				<>
					<polygon points={`${line[0].split(",")[0]},${HEIGHT} ${line.join(" ")} ${WIDTH},${HEIGHT}`}/>
					<polyline points={line.join(" ")}/>
				</>
			)}
		</svg>
	);
}
