-- Version 0 makes a row, another one changes that very version; a row that is there like
-- this already is fine. The trigger raises the version.
INSERT INTO weir_target AS t (id, job, instance, labels, mode, address, scheme, path,
	scrape_interval_seconds, scrape_timeout_seconds, enabled, configured, attributes,
	interval_seconds, silent_after, thresholds, created, version)
SELECT u.id, u.job, u.instance, u.labels::jsonb, u.mode, u.address, u.scheme, u.path,
	u.scrape_interval_seconds::double precision, u.scrape_timeout_seconds::double precision,
	u.enabled::boolean, u.configured::boolean, u.attributes::jsonb,
	u.interval_seconds::double precision, u.silent_after::double precision, u.thresholds::jsonb,
	coalesce(u.created::timestamptz, now()), u.version::bigint + 1
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
	$9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
	$17::text[], $18::text[])
	AS u (id, job, instance, labels, mode, address, scheme, path,
	scrape_interval_seconds, scrape_timeout_seconds, enabled, configured, attributes,
	interval_seconds, silent_after, thresholds, created, version)
WHERE u.version = '0' OR EXISTS (SELECT FROM weir_target AS o WHERE o.id = u.id)
ORDER BY u.id
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
	thresholds = excluded.thresholds
WHERE t.version = excluded.version - 1
	OR (t.job, t.instance, t.labels, t.mode, t.address, t.scheme, t.path,
		t.scrape_interval_seconds, t.scrape_timeout_seconds, t.enabled, t.configured, t.attributes,
		t.interval_seconds, t.silent_after, t.thresholds)
	IS NOT DISTINCT FROM
	(excluded.job, excluded.instance, excluded.labels, excluded.mode, excluded.address,
		excluded.scheme, excluded.path, excluded.scrape_interval_seconds,
		excluded.scrape_timeout_seconds, excluded.enabled, excluded.configured, excluded.attributes,
		excluded.interval_seconds, excluded.silent_after, excluded.thresholds)
RETURNING t.id, t.version, t.changed
