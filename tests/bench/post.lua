-- wrk: POST /api/projects, one user after the other, each project with a name of its own. Its
-- arguments are a file with a session token a line, the origin, and a word for the names.
local tokens = {}
local number = 0
local origin, word

function init(arguments)
	for line in io.lines(arguments[1]) do
		table.insert(tokens, line)
	end
	origin, word = arguments[2], arguments[3]
end

function request()
	number = number + 1
	local headers = {
		Host = wrk.headers["Host"],
		Cookie = "fsa=" .. tokens[number % #tokens + 1],
		Origin = origin,
		["Content-Type"] = "application/json",
	}
	local body = string.format('{"name":"bench %s %d"}', word, number)
	return wrk.format("POST", "/api/projects", headers, body)
end
