-- Targets that nobody has seen since then. The rows are locked, so that what is seen at this very
-- moment is read, too.
WITH seen AS MATERIALIZED (
	SELECT target_id, greatest(first_seen, last_seen, rejected_at) AS at FROM weir_target_seen
	WHERE target_id = ANY ($1::text[]) ORDER BY target_id, replica FOR UPDATE
)
DELETE FROM weir_target AS t USING unnest($1::text[], $2::text[]) AS u (id, before)
WHERE t.id = u.id AND NOT t.configured
	AND NOT EXISTS (SELECT FROM seen WHERE seen.target_id = t.id AND seen.at > u.before::timestamptz)
RETURNING t.id, t.version, t.changed
