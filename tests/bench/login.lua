-- wrk: POST /api/auth/login, one user after the other. Its arguments are a file with a user name a
-- line, the password of them all, and the origin.
local requests = {}
local number = 0

function init(arguments)
	local headers = {
		Host = wrk.headers["Host"],
		Origin = arguments[3],
		["Content-Type"] = "application/json",
	}
	for name in io.lines(arguments[1]) do
		local body = string.format('{"name":"%s","password":"%s"}', name, arguments[2])
		table.insert(requests, wrk.format("POST", "/api/auth/login", headers, body))
	end
end

function request()
	number = number % #requests + 1
	return requests[number]
end
