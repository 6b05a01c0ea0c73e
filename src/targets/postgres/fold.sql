-- What replicas saw that are not connected, since each holds a lock with its name (see
-- postgres_storage.c), and were not heard of since then, becomes one row a target.
WITH old AS MATERIALIZED (
	SELECT replica FROM weir_target_seen WHERE replica NOT IN ('gone', ($1::text[])[1])
	GROUP BY replica
	HAVING coalesce(max(greatest(last_seen, rejected_at)), '-infinity') < ($2::text[])[1]::timestamptz
), vanished AS MATERIALIZED (
	SELECT replica FROM old WHERE pg_try_advisory_xact_lock(2003135858, hashtext(replica))
), taken AS (
	DELETE FROM weir_target_seen AS s USING vanished AS v WHERE s.replica = v.replica RETURNING s.*
)
INSERT INTO weir_target_seen AS t (target_id, replica, first_seen, last_seen, last_push, pushes, format,
	source, gaps, learnt_interval, rejected_at, rejected_reason)
SELECT target_id, 'gone', min(first_seen), max(last_seen), max(last_push), sum(pushes),
	(array_agg(format ORDER BY last_seen DESC NULLS LAST))[1],
	(array_agg(source ORDER BY last_seen DESC NULLS LAST))[1],
	(array_agg(gaps ORDER BY last_seen DESC NULLS LAST))[1],
	(array_agg(learnt_interval ORDER BY last_seen DESC NULLS LAST))[1],
	max(rejected_at), (array_agg(rejected_reason ORDER BY rejected_at DESC NULLS LAST))[1]
FROM taken GROUP BY target_id
ON CONFLICT (target_id, replica) DO UPDATE SET
	first_seen = least(t.first_seen, excluded.first_seen),
	last_seen = greatest(t.last_seen, excluded.last_seen),
	last_push = greatest(t.last_push, excluded.last_push),
	pushes = t.pushes + excluded.pushes
