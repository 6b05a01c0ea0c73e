#include "state/sqlite/schema.h"

#include <stdio.h>

#include "version.h"

const char sqlite_schema_writer[] = "weir " WEIR_VERSION;

/* What makes each version of the one before. Their order is that of their tables' pages. */
static const char *const steps[SQLITE_SCHEMA_VERSION] = {
	"CREATE TABLE segment (number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, "
	"grp INTEGER NOT NULL, sum INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE aside (number INTEGER, kind INTEGER, grp INTEGER, sum INTEGER, data BLOB, "
	"reason TEXT, set_aside TEXT);",
};

static bool run(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

bool sqlite_schema_number(sqlite3 *db, const char *text, sqlite3_int64 *ret_number)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) != SQLITE_OK) {
		return false;
	}
	bool has_row = sqlite3_step(statement) == SQLITE_ROW;
	if (has_row) {
		*ret_number = sqlite3_column_int64(statement, 0);
	}
	return sqlite3_finalize(statement) == SQLITE_OK && has_row;
}

static bool set_number(sqlite3 *db, const char *name, int number)
{
	char text[64];
	snprintf(text, sizeof(text), "PRAGMA %s=%d", name, number);
	return run(db, text);
}

static bool set_writer(sqlite3 *db)
{
	sqlite3_stmt *statement;
	const char *text = "INSERT OR REPLACE INTO meta (name, value) VALUES ('written_by', ?)";
	if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) != SQLITE_OK) {
		return false;
	}
	sqlite3_bind_text(statement, 1, sqlite_schema_writer, -1, SQLITE_STATIC);
	bool is_done = sqlite3_step(statement) == SQLITE_DONE;
	return sqlite3_finalize(statement) == SQLITE_OK && is_done;
}

static bool take_steps(sqlite3 *db, sqlite3_int64 version)
{
	for (; version < SQLITE_SCHEMA_VERSION; version++) {
		if (!run(db, steps[version])) {
			return false;
		}
	}
	return true;
}

bool sqlite_schema_update(sqlite3 *db)
{
	sqlite3_int64 version;
	return run(db, "BEGIN IMMEDIATE") && sqlite_schema_number(db, "PRAGMA user_version", &version)
			&& version >= 0 && take_steps(db, version)
			&& set_number(db, "application_id", SQLITE_SCHEMA_APPLICATION)
			&& set_number(db, "user_version", SQLITE_SCHEMA_VERSION) && set_writer(db)
			&& run(db, "COMMIT");
}

bool sqlite_schema_check(sqlite3 *db)
{
	static const char *const statements[] = {
		"SELECT number, kind, grp, sum, data FROM segment LIMIT 1",
		"SELECT name, value FROM meta LIMIT 1",
		"SELECT number, kind, grp, sum, data, reason, set_aside FROM aside LIMIT 1",
	};
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		if (!run(db, statements[i])) {
			return false;
		}
	}
	return true;
}
