-- As read_seen.sql, of targets of which others than $4 have written since the mark $5. What tells
-- is the transaction that wrote a row: clocks differ, and a row may be written long after
-- what it is about.
SELECT target_id, replica, first_seen, last_seen, last_push, pushes, format, source, gaps,
	learnt_interval, state, rejected_at, rejected_reason
FROM weir_target_seen AS s WHERE (target_id, replica) > ($1, $2)
	AND EXISTS (SELECT FROM weir_target_seen AS o WHERE o.target_id = s.target_id AND o.target_id >= $1
		AND o.replica <> $4 AND age(o.xmin) <= age($5::xid8::xid))
ORDER BY target_id, replica LIMIT $3::bigint
