CREATE TABLE weir_target (
	id text COLLATE "C" NOT NULL PRIMARY KEY DEFAULT gen_random_uuid()::text
		CHECK (length(id) BETWEEN 1 AND 100),
	job text NOT NULL,
	instance text NOT NULL DEFAULT '',
	labels jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
	mode text NOT NULL DEFAULT 'push' CHECK (mode IN ('push', 'pull', 'static', 'virtual')),
	address text,
	scheme text,
	path text,
	scrape_interval_seconds double precision CHECK (scrape_interval_seconds > 0),
	scrape_timeout_seconds double precision CHECK (scrape_timeout_seconds > 0),
	enabled boolean NOT NULL DEFAULT true,
	configured boolean NOT NULL DEFAULT true,
	attributes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
	interval_seconds double precision CHECK (interval_seconds > 0),
	silent_after double precision CHECK (silent_after > 0),
	thresholds jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(thresholds) = 'array'),
	created timestamptz NOT NULL DEFAULT now(),
	changed timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1
);

-- Rows are written over all the time, but never what an index has: room for that in each page.
CREATE TABLE weir_target_seen (
	target_id text COLLATE "C" NOT NULL REFERENCES weir_target (id) ON DELETE CASCADE ON UPDATE CASCADE,
	replica text COLLATE "C" NOT NULL,
	first_seen timestamptz,
	last_seen timestamptz,
	last_push timestamptz,
	pushes bigint NOT NULL DEFAULT 0,
	format text,
	source text,
	gaps jsonb,
	learnt_interval double precision,
	state text,
	rejected_at timestamptz,
	rejected_reason text,
	PRIMARY KEY (target_id, replica)
) WITH (fillfactor = 70);

CREATE FUNCTION weir_target_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF new IS DISTINCT FROM old THEN
		new.version := old.version + 1;
		new.changed := clock_timestamp();
	END IF;
	RETURN new;
END
$$;

CREATE TRIGGER weir_target_change BEFORE UPDATE ON weir_target
	FOR EACH ROW EXECUTE FUNCTION weir_target_change();

-- Tells which row changed; nothing: any.
CREATE FUNCTION weir_target_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF tg_op = 'TRUNCATE' THEN
		PERFORM pg_notify('weir_target', '');
	ELSIF tg_op = 'INSERT' THEN
		PERFORM pg_notify('weir_target', new.id);
	ELSIF tg_op = 'DELETE' THEN
		PERFORM pg_notify('weir_target', old.id);
	ELSIF new IS DISTINCT FROM old THEN
		PERFORM pg_notify('weir_target', old.id);
		PERFORM pg_notify('weir_target', new.id);
	END IF;
	RETURN NULL;
END
$$;

CREATE TRIGGER weir_target_notify AFTER INSERT OR UPDATE OR DELETE ON weir_target
	FOR EACH ROW EXECUTE FUNCTION weir_target_notify();
CREATE TRIGGER weir_target_notify_all AFTER TRUNCATE ON weir_target
	FOR EACH STATEMENT EXECUTE FUNCTION weir_target_notify();
