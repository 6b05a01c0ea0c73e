#include "targets/postgres/migrate.h"

#include <stdlib.h>
#include <string.h>

extern const char targets_postgres_schema_1[];
extern const char targets_postgres_schema_2[];
extern const char targets_postgres_schema_3[];

/* What makes each version of the one before. */
static const char *const migrations[TARGETS_POSTGRES_VERSION] = {
	targets_postgres_schema_1,
	targets_postgres_schema_2,
	targets_postgres_schema_3,
};

/* The lock is for the transaction, so nobody can forget it. The number is any: "weir". */
static const char begin_text[] =
		"SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET extra_float_digits = 1;"
		"SET client_min_messages = warning; SET statement_timeout = %llu;" POSTGRES_STAY_TEXT ";"
		"BEGIN; SELECT pg_advisory_xact_lock(2003135858);"
		"SELECT to_regclass('weir_schema') IS NOT NULL";

static void end(struct postgres_migration *migration, enum postgres_migrate_result result)
{
	migration->done(migration, result);
}

static void send_text(struct postgres_migration *migration,
		void (*done)(struct postgres_query *query, const PGresult *result))
{
	buf_append_byte(&migration->text, '\0');
	migration->query.done = done;
	postgres_conn_send(migration->conn, &migration->query, migration->text.ptr, NULL, 0);
}

static struct postgres_migration *of(struct postgres_query *query)
{
	return LIST_ENTRY(query, struct postgres_migration, query);
}

/* False: it failed, and the end was told. */
static bool check(struct postgres_migration *migration, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		return true;
	}
	buf_reset(&migration->why, 0);
	buf_append_string(&migration->why, "the tables cannot be brought up to date: ");
	postgres_append_message(&migration->why, PQresultErrorMessage(result));
	end(migration, POSTGRES_MIGRATE_E_FAILED);
	return false;
}

/* Some servers answer without a row. */
static const char *value_of(const PGresult *result)
{
	return PQntuples(result) > 0 && PQnfields(result) > 0 ? PQgetvalue(result, 0, 0) : "";
}

static void on_committed(struct postgres_query *query, const PGresult *result)
{
	if (check(of(query), result)) {
		end(of(query), POSTGRES_MIGRATE_OK);
	}
}

/* All that is missing; the version is 0 when there is nothing. */
static void take_steps(struct postgres_migration *migration, int version)
{
	buf_reset(&migration->text, 0);
	if (version == 0) {
		buf_append_string(&migration->text,
				"CREATE TABLE IF NOT EXISTS weir_schema (version integer PRIMARY KEY, "
				"applied timestamptz NOT NULL DEFAULT now());");
	}
	for (; version < TARGETS_POSTGRES_VERSION; version++) {
		buf_append_string(&migration->text, migrations[version]);
		buf_printf(&migration->text, "INSERT INTO weir_schema (version) VALUES (%d);", version + 1);
	}
	buf_append_string(&migration->text, "COMMIT");
	send_text(migration, on_committed);
}

static void on_version(struct postgres_query *query, const PGresult *result)
{
	struct postgres_migration *migration = of(query);
	if (!check(migration, result)) {
		return;
	}
	int version = atoi(value_of(result));
	if (version > TARGETS_POSTGRES_VERSION) {
		buf_reset(&migration->why, 0);
		buf_printf(&migration->why,
				"the database is of a newer weir: its schema has version %d, this weir knows up "
				"to %d",
				version, TARGETS_POSTGRES_VERSION);
		end(migration, POSTGRES_MIGRATE_E_NEWER);
	} else {
		take_steps(migration, version < 0 ? 0 : version);
	}
}

static void on_begun(struct postgres_query *query, const PGresult *result)
{
	struct postgres_migration *migration = of(query);
	if (!check(migration, result)) {
		return;
	}
	if (strcmp(value_of(result), "t") != 0) {
		take_steps(migration, 0);
		return;
	}
	buf_reset(&migration->text, 0);
	buf_append_string(&migration->text, "SELECT coalesce(max(version), 0) FROM weir_schema");
	send_text(migration, on_version);
}

void postgres_migrate(struct postgres_migration *migration, struct postgres_conn *conn)
{
	migration->conn = conn;
	buf_reset(&migration->text, 0);
	/* The server gives up a little earlier than weir does, and says why. */
	buf_printf(&migration->text, begin_text,
			(unsigned long long)(conn->response_ms - conn->response_ms / 10));
	send_text(migration, on_begun);
}

void postgres_migration_init(struct postgres_migration *migration)
{
	buf_init(&migration->text, 0);
	buf_init(&migration->why, 0);
}

void postgres_migration_finish(struct postgres_migration *migration)
{
	buf_finish(&migration->text);
	buf_finish(&migration->why);
}
