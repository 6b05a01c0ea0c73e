-- Takes elements off the head of a list, if they are still the ones that were read there.
--
-- KEYS  the list
-- ARGV  how many; their digest
--
-- Answers 1 when they are gone by this, else 0.

local count = tonumber(ARGV[1])
local elements = redis.call('LRANGE', KEYS[1], 0, count - 1)
if #elements ~= count then
	return 0
end
for i = 1, count do
	elements[i] = redis.sha1hex(elements[i])
end
if redis.sha1hex(table.concat(elements)) ~= ARGV[2] then
	return 0
end
redis.call('LTRIM', KEYS[1], count, -1)
return 1
