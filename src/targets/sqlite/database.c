#include "targets/sqlite/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 10000 /* another weir writes, or somebody edits */ };

extern const char targets_sqlite_schema_1[];
extern const char targets_sqlite_schema_2[];
extern const char targets_sqlite_schema_3[];

/* What makes each version of the one before. */
static const char *const migrations[TARGETS_SQLITE_VERSION] = {
	targets_sqlite_schema_1,
	targets_sqlite_schema_2,
	targets_sqlite_schema_3,
};

static bool run(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* False: see sqlite3_errmsg(). */
static bool read_number(sqlite3 *db, const char *text, sqlite3_int64 *ret_number)
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

static enum database_result fail(sqlite3 *db, const char *path, struct buf *reterr_why)
{
	bool is_foreign = (sqlite3_errcode(db) & 0xff) == SQLITE_NOTADB;
	buf_printf(reterr_why, "cannot use %s: %s", path, sqlite3_errmsg(db));
	return is_foreign ? DATABASE_E_UNUSABLE : DATABASE_E_AWAY;
}

/* The version of its tables; 0: it is empty. */
static enum database_result find_version(
		sqlite3 *db, const char *path, sqlite3_int64 *ret_version, struct buf *reterr_why)
{
	sqlite3_int64 tables;
	sqlite3_int64 is_ours;
	*ret_version = 0;
	if (!read_number(db, "SELECT count(*) FROM sqlite_schema", &tables)
			|| !read_number(
					db, "SELECT count(*) FROM sqlite_schema WHERE name = 'weir_schema'", &is_ours)
			|| (is_ours > 0
					&& !read_number(db, "SELECT coalesce(max(version), 0) FROM weir_schema",
							ret_version))) {
		return fail(db, path, reterr_why);
	}
	if (tables > 0 && is_ours == 0) {
		buf_printf(reterr_why, "%s is a database of another program", path);
		return DATABASE_E_UNUSABLE;
	}
	if (*ret_version > TARGETS_SQLITE_VERSION) {
		buf_printf(reterr_why,
				"%s is of a newer weir: its schema has version %lld, this weir knows up to %d",
				path, (long long)*ret_version, TARGETS_SQLITE_VERSION);
		return DATABASE_E_UNUSABLE;
	}
	return DATABASE_OK;
}

static bool take_step(sqlite3 *db, int version)
{
	char *note = sqlite3_mprintf("INSERT INTO weir_schema (version) VALUES (%d)", version + 1);
	bool is_done = run(db, migrations[version]) && run(db, note);
	sqlite3_free(note);
	return is_done;
}

/* All that is missing, or nothing. */
static bool take_steps(sqlite3 *db, sqlite3_int64 version)
{
	if (version == 0
			&& !run(db,
					"CREATE TABLE IF NOT EXISTS weir_schema (version INTEGER PRIMARY KEY, "
					"applied TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%fZ', 'now')))")) {
		return false;
	}
	for (; version < TARGETS_SQLITE_VERSION; version++) {
		if (!take_step(db, (int)version)) {
			return false;
		}
	}
	return run(db, "COMMIT");
}

/* Under the lock of a writer, so that of two who come at once one finds it done. */
static enum database_result migrate(sqlite3 *db, const char *path, struct buf *reterr_why)
{
	sqlite3_int64 version;
	enum database_result result = find_version(db, path, &version, reterr_why);
	if (result != DATABASE_OK || version == TARGETS_SQLITE_VERSION) {
		return result;
	}
	/* A table that is made anew is dropped on the way: what refers to it, views too, has to stay.
	 */
	if (!run(db, "PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=ON")
			|| !run(db, "BEGIN IMMEDIATE")) {
		return fail(db, path, reterr_why);
	}
	result = find_version(db, path, &version, reterr_why);
	if (result == DATABASE_OK && !take_steps(db, version)) {
		result = fail(db, path, reterr_why);
	}
	if (result != DATABASE_OK) {
		run(db, "ROLLBACK");
	}
	return result;
}

/* For its owner alone; SQLite's own files beside it will be like it. */
static bool create(const char *path, struct buf *reterr_why)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		buf_printf(reterr_why, "cannot open %s: %s", path, strerror(errno));
		return false;
	}
	close(fd);
	return true;
}

static enum database_result prepare(sqlite3 *db, const char *path, struct buf *reterr_why)
{
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, BUSY_MS);
	enum database_result result = migrate(db, path, reterr_why);
	/* The log's mode stays in the file, so it comes last. */
	if (result == DATABASE_OK
			&& (!run(db, "PRAGMA journal_mode=WAL") || !run(db, "PRAGMA synchronous=FULL")
					|| !run(db, "PRAGMA foreign_keys=ON")
					|| !run(db, "PRAGMA temp_store=MEMORY"))) {
		return fail(db, path, reterr_why);
	}
	return result;
}

enum database_result database_open(const char *path, sqlite3 **ret_db, struct buf *reterr_why)
{
	sqlite3 *db = NULL;
	if (!create(path, reterr_why)) {
		return DATABASE_E_AWAY;
	}
	enum database_result result;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)
			!= SQLITE_OK) {
		result = fail(db, path, reterr_why);
	} else {
		result = prepare(db, path, reterr_why);
	}
	if (result == DATABASE_OK) {
		*ret_db = db;
	} else {
		sqlite3_close(db);
	}
	return result;
}
