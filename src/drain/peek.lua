-- Reads the head of a list: its first elements, so many and of so many bytes together at most.
--
-- KEYS  the list
-- ARGV  elements at most; bytes at most; 1: an element that is too large is to have a digest
--
-- Answers a digest, how many elements are behind those, 0 and those; or, when the first one alone has
-- too many bytes, a digest or nothing, how many are behind it, and its bytes.

local most, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local answer, digests, bytes = { '', 0, 0 }, {}, 0
while #digests < most do
	local element = redis.call('LINDEX', KEYS[1], #digests)
	if not element then
		break
	end
	bytes = bytes + #element
	if bytes > room then
		if #digests == 0 then
			answer[1] = ARGV[3] == '1' and redis.sha1hex(redis.sha1hex(element)) or ''
			answer[2] = redis.call('LLEN', KEYS[1]) - 1
			answer[3] = #element
			return answer
		end
		break
	end
	digests[#digests + 1] = redis.sha1hex(element)
	answer[#answer + 1] = element
end
answer[1] = redis.sha1hex(table.concat(digests))
answer[2] = redis.call('LLEN', KEYS[1]) - #digests
return answer
