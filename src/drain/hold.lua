-- Takes a lease, or goes on holding it.
--
-- KEYS  the lease
-- ARGV  who holds it; milliseconds for which
--
-- Answers 1 when it is newly held, 2 when it was before, 0 when another has it.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
	return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return holder and 2 or 1
