-- Says what a partition is like, and begins it if there is nothing.
--
-- KEYS  meta, changes, groups
-- ARGV  epoch: what to begin with; version of what is stored; number of partitions
--
-- Answers epoch, version, partitions, version of the last wipe, the last entry of the
-- stream of changes, the first one that it still has, and the time in seconds and
-- microseconds.

local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'partitions', 'wiped')
if not meta[1] then
	redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'version', ARGV[2], 'partitions', ARGV[3])
	meta = { ARGV[1], ARGV[2], ARGV[3], false }
end
local last, first = '0-0', '0-0'
if redis.call('EXISTS', KEYS[2]) == 1 then
	local stream = redis.call('XINFO', 'STREAM', KEYS[2])
	for i = 1, #stream, 2 do
		if stream[i] == 'last-generated-id' then
			last = stream[i + 1]
		elseif stream[i] == 'first-entry' and stream[i + 1] then
			first = stream[i + 1][1]
		end
	end
end
local clock = redis.call('TIME')
-- Groups whose keys have ended.
redis.call('ZREMRANGEBYSCORE', KEYS[3], 1, clock[1] * 1000)
return { meta[1], meta[2] or '', meta[3] or '', meta[4] or '', last, first, clock[1], clock[2] }
