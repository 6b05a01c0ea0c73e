-- Of both databases, which count parameters alike when each comes once and in its order.
SELECT target_id, replica, first_seen, last_seen, last_push, pushes, format, source, gaps,
	learnt_interval, state, rejected_at, rejected_reason
FROM weir_target_seen WHERE (target_id, replica) > ($1, $2)
ORDER BY target_id, replica LIMIT CAST($3 AS bigint)
