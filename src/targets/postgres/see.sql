INSERT INTO weir_target_seen (target_id, replica, first_seen, last_seen, last_push, pushes, format, source,
	gaps, learnt_interval, state, rejected_at, rejected_reason)
SELECT u.target_id, u.replica, u.first_seen::timestamptz, u.last_seen::timestamptz, u.last_push::timestamptz,
	u.pushes::bigint, u.format, u.source, u.gaps::jsonb, u.learnt_interval::double precision, u.state,
	u.rejected_at::timestamptz, u.rejected_reason
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
	$9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
	AS u (target_id, replica, first_seen, last_seen, last_push, pushes, format, source, gaps,
	learnt_interval, state, rejected_at, rejected_reason)
WHERE EXISTS (SELECT FROM weir_target AS t WHERE t.id = u.target_id)
ORDER BY u.target_id, u.replica
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
