-- One more mode. SQLite changes no constraint of a table, so the table is made anew.
CREATE TABLE weir_target_new (
	id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 100)
		DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
			|| '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
	job TEXT NOT NULL,
	instance TEXT NOT NULL DEFAULT '',
	labels TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(labels) AND json_type(labels) = 'object'),
	mode TEXT NOT NULL DEFAULT 'push' CHECK (mode IN
		('push', 'pull', 'static', 'virtual', 'dns', 'image', 'collector', 'service')),
	address TEXT,
	scheme TEXT,
	path TEXT,
	scrape_interval_seconds REAL CHECK (scrape_interval_seconds > 0),
	scrape_timeout_seconds REAL CHECK (scrape_timeout_seconds > 0),
	enabled BOOLEAN NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	configured BOOLEAN NOT NULL DEFAULT 1 CHECK (configured IN (0, 1)),
	attributes TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(attributes) AND json_type(attributes) = 'object'),
	interval_seconds REAL CHECK (interval_seconds > 0),
	silent_after REAL CHECK (silent_after > 0),
	thresholds TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(thresholds) AND json_type(thresholds) = 'array'),
	created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%fZ', 'now')),
	changed TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%fZ', 'now')),
	version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;

INSERT INTO weir_target_new (id, job, instance, labels, mode, address, scheme, path, scrape_interval_seconds,
	scrape_timeout_seconds, enabled, configured, attributes, interval_seconds, silent_after, thresholds,
	created, changed, version)
SELECT id, job, instance, labels, mode, address, scheme, path, scrape_interval_seconds,
	scrape_timeout_seconds, enabled, configured, attributes, interval_seconds, silent_after, thresholds,
	created, changed, version
FROM weir_target;
DROP TABLE weir_target;
ALTER TABLE weir_target_new RENAME TO weir_target;

-- For who edits by hand: weir raises the version itself.
CREATE TRIGGER weir_target_changed AFTER UPDATE ON weir_target
WHEN new.version = old.version AND
	(new.id, new.job, new.instance, new.labels, new.mode, new.address, new.scheme, new.path,
		new.scrape_interval_seconds, new.scrape_timeout_seconds, new.enabled, new.configured,
		new.attributes, new.interval_seconds, new.silent_after, new.thresholds) IS NOT
	(old.id, old.job, old.instance, old.labels, old.mode, old.address, old.scheme, old.path,
		old.scrape_interval_seconds, old.scrape_timeout_seconds, old.enabled, old.configured,
		old.attributes, old.interval_seconds, old.silent_after, old.thresholds)
BEGIN
	UPDATE weir_target SET version = old.version + 1, changed = strftime('%Y-%m-%d %H:%M:%fZ', 'now')
	WHERE id = new.id;
END;
