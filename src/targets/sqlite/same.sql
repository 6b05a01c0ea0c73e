-- A row that is there like this already; parameters as in save.sql.
SELECT version, changed FROM weir_target
WHERE id = ?1 AND (job, instance, json(labels), mode, address, scheme, path,
	scrape_interval_seconds, scrape_timeout_seconds, enabled, configured, json(attributes),
	interval_seconds, silent_after, json(thresholds))
	IS (?2, ?3, json(?4), ?5, ?6, ?7, ?8,
	CAST(?9 AS REAL), CAST(?10 AS REAL), CAST(?11 AS INTEGER), CAST(?12 AS INTEGER), json(?13),
	CAST(?14 AS REAL), CAST(?15 AS REAL), json(?16))
