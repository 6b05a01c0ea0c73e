INSERT INTO weir_target_seen (target_id, replica, first_seen, last_seen, last_push, pushes, format, source,
	gaps, learnt_interval, state, rejected_at, rejected_reason)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
WHERE EXISTS (SELECT 1 FROM weir_target WHERE id = ?1)
ON CONFLICT (target_id, replica) DO UPDATE SET
	first_seen = excluded.first_seen,
	last_seen = excluded.last_seen,
	last_push = excluded.last_push,
	pushes = excluded.pushes,
	format = excluded.format,
	source = excluded.source,
	gaps = excluded.gaps,
	learnt_interval = excluded.learnt_interval,
	state = excluded.state,
	rejected_at = excluded.rejected_at,
	rejected_reason = excluded.rejected_reason
