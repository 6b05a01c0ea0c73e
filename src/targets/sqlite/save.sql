-- Version 0 makes a row, another one changes that very version; as columns of weir_target,
-- and then the time.
INSERT INTO weir_target (id, job, instance, labels, mode, address, enabled, attributes,
	interval_seconds, silent_after, thresholds, created, changed, version)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, CAST(?7 AS INTEGER), ?8, CAST(?9 AS REAL), CAST(?10 AS REAL), ?11,
	coalesce(?12, ?15), ?15, CAST(?14 AS INTEGER) + 1
WHERE CAST(?14 AS INTEGER) = 0 OR EXISTS (SELECT 1 FROM weir_target WHERE id = ?1)
ON CONFLICT (id) DO UPDATE SET
	job = excluded.job,
	instance = excluded.instance,
	labels = excluded.labels,
	mode = excluded.mode,
	address = excluded.address,
	enabled = excluded.enabled,
	attributes = excluded.attributes,
	interval_seconds = excluded.interval_seconds,
	silent_after = excluded.silent_after,
	thresholds = excluded.thresholds,
	changed = excluded.changed,
	version = excluded.version
WHERE weir_target.version = excluded.version - 1
RETURNING version, changed
