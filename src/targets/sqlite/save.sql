-- Version 0 makes a row, another one changes that very version. Parameters as the columns
-- of storage_row.h, and then the time.
INSERT INTO weir_target (id, job, instance, labels, mode, address, scheme, path,
	scrape_interval_seconds, scrape_timeout_seconds, enabled, configured, attributes,
	interval_seconds, silent_after, thresholds, created, changed, version)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
	CAST(?9 AS REAL), CAST(?10 AS REAL), CAST(?11 AS INTEGER), CAST(?12 AS INTEGER), ?13,
	CAST(?14 AS REAL), CAST(?15 AS REAL), ?16, coalesce(?17, ?20), ?20, CAST(?19 AS INTEGER) + 1
WHERE CAST(?19 AS INTEGER) = 0 OR EXISTS (SELECT 1 FROM weir_target WHERE id = ?1)
ON CONFLICT (id) DO UPDATE SET
	job = excluded.job,
	instance = excluded.instance,
	labels = excluded.labels,
	mode = excluded.mode,
	address = excluded.address,
	scheme = excluded.scheme,
	path = excluded.path,
	scrape_interval_seconds = excluded.scrape_interval_seconds,
	scrape_timeout_seconds = excluded.scrape_timeout_seconds,
	enabled = excluded.enabled,
	configured = excluded.configured,
	attributes = excluded.attributes,
	interval_seconds = excluded.interval_seconds,
	silent_after = excluded.silent_after,
	thresholds = excluded.thresholds,
	changed = excluded.changed,
	version = excluded.version
WHERE weir_target.version = excluded.version - 1
RETURNING version, changed
