-- What replicas saw that were not heard of since then becomes one row a target: what is not added
-- up is that of the one that saw it last.
INSERT INTO weir_target_seen (target_id, replica, first_seen, last_seen, last_push, pushes, format, source,
	gaps, learnt_interval, rejected_at, rejected_reason)
SELECT target_id, 'gone',
	(SELECT min(first_seen) FROM weir_target_seen AS o WHERE o.target_id = s.target_id),
	max(last_seen), last_push, sum(pushes), format, source, gaps, learnt_interval, rejected_at,
	rejected_reason
FROM weir_target_seen AS s
WHERE replica IN (
	SELECT replica FROM weir_target_seen WHERE replica NOT IN ('gone', ?1) GROUP BY replica
	HAVING max(max(coalesce(last_seen, ''), coalesce(rejected_at, ''))) < ?2)
GROUP BY target_id
ON CONFLICT (target_id, replica) DO UPDATE SET
	first_seen = excluded.first_seen,
	last_seen = max(coalesce(last_seen, ''), coalesce(excluded.last_seen, '')),
	last_push = coalesce(excluded.last_push, last_push),
	pushes = pushes + excluded.pushes
