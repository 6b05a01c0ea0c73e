-- Pushes by wrk: every group in turn, each time with the next of several
-- bodies, so that what is pushed to a group differs from what it holds.
--
-- wrk -s push.lua URL -- PATH GROUPS DELAY BODYFILE...
--
-- The group's number is put behind PATH. All requests are formatted before the
-- first is sent, so that making them is no part of what is measured. DELAY is
-- how many milliseconds a connection waits between requests (0: not at all).
-- At the end a line of JSON says what was measured, latencies in microseconds.

local requests = {}
local sent = 0

local function read(path)
	local file = assert(io.open(path, "rb"))
	local text = file:read("*a")
	file:close()
	return text
end

function init(args)
	local path, groups, pause = args[1], tonumber(args[2]), tonumber(args[3])
	for index = 4, #args do
		local body = read(args[index])
		for group = 0, groups - 1 do
			requests[#requests + 1] = wrk.format("POST", path .. group, wrk.headers, body)
		end
	end
	if pause > 0 then
		-- Uneven, lest the connections go in step.
		delay = function() return math.random(pause, pause * 3) / 2 end
	end
end

function request()
	sent = sent + 1
	return requests[(sent - 1) % #requests + 1]
end

function done(summary, latency)
	local errors = summary.errors
	local form = '{"requests": %d, "seconds": %f, "refused": %d, "broken": %d, '
		.. '"p50": %d, "p99": %d, "p999": %d, "max": %d}'
	print(string.format(form, summary.requests, summary.duration / 1e6, errors.status,
		errors.connect + errors.read + errors.write + errors.timeout,
		latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
end
