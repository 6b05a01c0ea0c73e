-- The rows that fold.sql has added up.
DELETE FROM weir_target_seen
WHERE replica IN (
	SELECT replica FROM weir_target_seen WHERE replica NOT IN ('gone', ?1) GROUP BY replica
	HAVING max(max(coalesce(last_seen, ''), coalesce(rejected_at, ''))) < ?2)
