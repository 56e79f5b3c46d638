-- wrk: GET /api/sandbox/:id, one sample after the other. Its argument is a file with a line a
-- sample: session token, project id.
local requests = {}
local number = 0

function init(arguments)
	for line in io.lines(arguments[1]) do
		local token, project = line:match("^(%S+) (%S+)$")
		local headers = { Host = wrk.headers["Host"], Cookie = "fsa=" .. token }
		table.insert(requests, wrk.format("GET", "/api/sandbox/" .. project, headers))
	end
end

function request()
	number = number % #requests + 1
	return requests[number]
end
