-- A target that nobody has seen since then.
DELETE FROM weir_target
WHERE id = ?1 AND configured = 0 AND NOT EXISTS (
	SELECT 1 FROM weir_target_seen WHERE target_id = ?1
		AND max(coalesce(first_seen, ''), coalesce(last_seen, ''), coalesce(rejected_at, '')) > ?2)
RETURNING version, changed
