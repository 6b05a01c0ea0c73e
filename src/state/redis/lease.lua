-- Takes a replica's number, or goes on holding it.
--
-- KEYS  the number's key
-- ARGV  token of who holds it; milliseconds for which
--
-- Answers 1, or 0 when another has it.

if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
	return 1
end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
