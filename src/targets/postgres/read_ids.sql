SELECT id, job, instance, labels, mode, address, enabled, attributes, interval_seconds,
	silent_after, thresholds, created, changed, version
FROM weir_target WHERE id = ANY ($1::text[])
