-- Joins changes into the groups of one partition, and tells the other replicas.
--
-- KEYS  meta, changes, groups, then the hash of each group that changes
-- ARGV  epoch: what is stored must be of it
--       the token of who asks
--       entries that the stream keeps, about
--       milliseconds that a deletion is remembered
--       bytes up to which the stream has a push's content
--       version of a wipe, or nothing
--       then for each group its name, its change without content, and that
--
-- A change is a head of 133 characters, identities of segments that it makes useless,
-- 16 characters each, and at most one segment's content; see change.h. A group's hash
-- has its own head, the first 112 of these and the identities of its segments, in the
-- field "head", and each segment's content in a field named by its identity.
--
-- Redis' Lua hashes each string that it makes, byte by byte. So contents, which are long,
-- are passed on as they came, and never part of another string unless they are small.
--
-- Answers the time, in seconds and microseconds, and for each group "1", or "0" when it
-- is not as who asks will have it: a group that changed otherwise meanwhile.
-- Of another epoch: that one instead, or nothing.

local NEVER = '0000000000000000'
local HEAD, OWN, ID = 133, 112, 16
local call, sub = redis.call, string.sub

local meta = call('HMGET', KEYS[1], 'epoch', 'wiped')
if meta[1] ~= ARGV[1] then
	return { meta[1] or '' }
end
local wiped = meta[2] or NEVER
local clock = call('TIME')
local now_ms = clock[1] * 1000 + math.floor(clock[2] / 1000)
local keep_ms, small = tonumber(ARGV[4]), tonumber(ARGV[5])
local told = { 'by', ARGV[2] }
local answers = {}

local function later(a, b)
	return a > b and a or b
end

-- A deadline's time, in milliseconds. Where a long has 32 bits, no more digits can be read at once.
local function milliseconds(deadline)
	local high, low = tonumber(sub(deadline, 1, 7), 16), tonumber(sub(deadline, 8, 13), 16)
	return math.floor((high * 0x1000000 + low) / 1000)
end

if ARGV[6] ~= '' and ARGV[6] > wiped then
	wiped = ARGV[6]
	call('HSET', KEYS[1], 'wiped', wiped)
	told[3], told[4] = 'wipe', wiped
end

local function join(key, name, change, content)
	local floor, push = sub(change, 1, 16), sub(change, 17, 32)
	local failure = sub(change, 49, 64)
	local id = sub(change, 113, 128)

	local had = call('HGET', key, 'head')
	local old_push, old_failure, ids = NEVER, NEVER, ''
	local new_push, new_deadline = push, sub(change, 33, 48)
	local pushed, failed = sub(change, 65, 80), sub(change, 81, 96)
	local since = sub(change, 97, 112)
	local new_floor = later(floor, wiped)
	if had then
		local old_floor, old_deadline = sub(had, 1, 16), sub(had, 33, 48)
		old_push, old_failure = sub(had, 17, 32), sub(had, 49, 64)
		ids = sub(had, OWN + 1)
		new_floor = later(new_floor, old_floor)
		-- What comes behind the end of its time finds nothing of it.
		if old_deadline ~= NEVER and later(later(push, floor), failure) > old_deadline then
			new_floor = later(new_floor, old_deadline)
		end
		if old_push > push then
			new_push, new_deadline, pushed = old_push, old_deadline, sub(had, 65, 80)
		end
		if old_failure > failure then
			failed = sub(had, 81, 96)
		end
		if later(old_push, old_failure) > later(push, failure) then
			since = sub(had, 97, 112)
		end
	end
	local new_failure = later(failure, old_failure)
	if new_failure < new_floor then
		new_failure, failed = NEVER, NEVER
	end
	if new_push == NEVER or new_push < new_floor then
		new_push, pushed = NEVER, NEVER
		-- A group that a failed push made has an end, too.
		if new_failure == NEVER then
			new_deadline = NEVER
		elseif old_failure > failure then
			new_deadline = sub(had, 33, 48)
		else
			new_deadline = sub(change, 33, 48)
		end
	end

	-- The segments that stay, and the new one.
	local kept, gone, dropped = {}, {}, {}
	local is_there = false
	for at = HEAD + 1, #change, ID do
		dropped[sub(change, at, at + ID - 1)] = true
	end
	for at = 1, #ids, ID do
		local old = sub(ids, at, at + ID - 1)
		if dropped[old] or old < new_floor then
			gone[#gone + 1] = old
		else
			kept[#kept + 1] = old
			is_there = is_there or old == id
		end
	end
	local is_new = id ~= NEVER and not is_there and id >= new_floor
	-- To who has the group since another time, it ended, and others prolonged it.
	local is_other = had and sub(had, 97, 112) ~= sub(change, 97, 112)
			and later(old_push, old_failure) > new_floor
	local answer = (is_other or new_floor > floor) and '0' or '1'
	if is_new then
		kept[#kept + 1] = id
	end

	local is_alive = new_push ~= NEVER or new_failure ~= NEVER
	since = is_alive and since or NEVER
	if not is_alive and new_floor <= wiped then
		-- A wipe is remembered for all.
		call('UNLINK', key)
		call('ZREM', KEYS[3], name)
		return answer, false
	end
	local head = new_floor .. new_push .. new_deadline .. new_failure .. pushed .. failed .. since
			.. table.concat(kept)
	if head == had then
		return answer, false
	end
	if is_new then
		call('HSET', key, 'head', head, id, content)
	else
		call('HSET', key, 'head', head)
	end
	for at = 1, #gone, 1000 do
		call('HDEL', key, unpack(gone, at, math.min(at + 999, #gone)))
	end
	local was_kept = had and sub(had, 33, 48) == NEVER
			and (old_push ~= NEVER or old_failure ~= NEVER)
	if is_alive and new_deadline == NEVER then
		if not was_kept then
			call('PERSIST', key)
			call('ZADD', KEYS[3], '+inf', name)
		end
	else
		local ends = (is_alive and milliseconds(new_deadline) or now_ms) + keep_ms
		call('PEXPIREAT', key, ends)
		call('ZADD', KEYS[3], ends, name)
	end
	return answer, new_floor
end

for i = 4, #KEYS do
	local at = 7 + (i - 4) * 3
	local name, change, content = ARGV[at], ARGV[at + 1], ARGV[at + 2]
	local answer, floor = join(KEYS[i], name, change, content)
	answers[#answers + 1] = answer
	if floor then
		-- Others may not remember what made older pushes void.
		if #change + #content <= small then
			change = floor .. sub(change, 17) .. content
		else
			change = floor .. sub(change, 17, 128) .. 'L' .. sub(change, 130)
		end
		told[#told + 1] = name
		told[#told + 1] = change
	end
end

if #told > 2 then
	call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', unpack(told))
else
	-- WAIT goes by what was written last; of what is sent again, that is this.
	call('HSET', KEYS[1], 'asked', clock[1])
end
return { clock[1], clock[2], table.concat(answers) }
