-- wrk: the end of every script: what happened, as one line of JSON.
function done(summary, latency)
	local errors = summary.errors
	io.write(string.format(
		'\n{"requests":%d,"us":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d}\n',
		summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
		errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
