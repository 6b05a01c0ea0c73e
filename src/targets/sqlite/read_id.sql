SELECT id, job, instance, labels, mode, address, scheme, path, scrape_interval_seconds,
	scrape_timeout_seconds, enabled, configured, attributes,
	interval_seconds, silent_after, thresholds, created, changed, version
FROM weir_target WHERE id = ?1
