-- Of both databases, which count parameters alike when each comes once and in its order.
SELECT id, job, instance, labels, mode, address, scheme, path, scrape_interval_seconds,
	scrape_timeout_seconds, enabled, configured, attributes,
	interval_seconds, silent_after, thresholds, created, changed, version
FROM weir_target WHERE id > $1 ORDER BY id LIMIT CAST($2 AS bigint)
