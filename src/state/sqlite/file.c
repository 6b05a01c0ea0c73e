#include "state/sqlite/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "state/sqlite/draft.h"
#include "state/sqlite/examine.h"
#include "state/sqlite/salvage.h"
#include "state/sqlite/schema.h"

enum { BUSY_MS = 10000 /* somebody reads or backs it up */ };

/* ---- Connections ---- */

static bool run(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

static const char *sync_text(enum state_sync sync)
{
	return sync == STATE_SYNC_FULL ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL";
}

/* What others may have put into it does nothing. */
static bool configure(sqlite3 *db, enum state_sync sync)
{
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, BUSY_MS);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return run(db, "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON")
			&& run(db, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0")
			/* Twice what it has most often: more only while somebody reads for long. */
			&& run(db, "PRAGMA journal_size_limit=33554432") && run(db, sync_text(sync));
}

/* *ret_db is to be closed whatever comes of it. */
static bool connect_to(const char *path, enum state_sync sync, sqlite3 **ret_db)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	return sqlite3_open_v2(path, ret_db, flags, NULL) == SQLITE_OK && configure(*ret_db, sync);
}

sqlite3 *sqlite_file_open_second(const struct sqlite_file *file)
{
	sqlite3 *db;
	if (!connect_to(file->path, file->sync, &db)) {
		sqlite3_close(db);
		return NULL;
	}
	return db;
}

void sqlite_file_close(struct sqlite_file *file)
{
	sqlite3_close(file->db);
	free(file->path);
}

/* As it is. */
static void disconnect(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(db);
}

void sqlite_file_leave(struct sqlite_file *file)
{
	disconnect(file->db);
	file->db = NULL;
}

/* ---- One that is there ---- */

/* What failed last in SQLite, as the file's result. */
static enum sqlite_file_result fail_in_sqlite(sqlite3 *db, struct buf *reterr_why)
{
	int fault = sqlite3_errcode(db) & 0xff;
	bool is_damaged = fault == SQLITE_CORRUPT || fault == SQLITE_NOTADB;
	buf_append_string(reterr_why, sqlite3_errmsg(db));
	return is_damaged ? SQLITE_FILE_E_DAMAGED : SQLITE_FILE_E_SYSTEM;
}

static enum sqlite_file_result fail_as(
		enum sqlite_file_result result, const char *what, struct buf *reterr_why)
{
	buf_append_string(reterr_why, what);
	return result;
}

static bool is_in_wal_mode(sqlite3 *db)
{
	sqlite3_stmt *statement;
	bool is_wal = false;
	if (sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &statement, NULL) == SQLITE_OK
			&& sqlite3_step(statement) == SQLITE_ROW) {
		is_wal = strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
	}
	sqlite3_finalize(statement);
	return is_wal;
}

/* Whether this weir has written it. False: it does not say, which all do. */
static bool find_writer(sqlite3 *db, sqlite3_int64 *ret_version, bool *ret_is_this)
{
	sqlite3_int64 is_this;
	char text[128];
	snprintf(text, sizeof(text), "SELECT value = '%s' FROM meta WHERE name = 'written_by'",
			sqlite_schema_writer);
	bool is_known = sqlite_schema_number(db, "PRAGMA user_version", ret_version)
			&& sqlite_schema_number(db, text, &is_this);
	*ret_is_this = is_known && is_this == 1;
	return is_known;
}

/* What is missing is damage, too: all was made together with the header. */
static enum sqlite_file_result fail_as_incomplete(sqlite3 *db, struct buf *reterr_why)
{
	int fault = sqlite3_errcode(db) & 0xff;
	if (fault == SQLITE_OK || fault == SQLITE_ERROR || fault == SQLITE_DONE) {
		return fail_as(SQLITE_FILE_E_DAMAGED, "its tables are not all there", reterr_why);
	}
	return fail_in_sqlite(db, reterr_why);
}

static enum sqlite_file_result check(sqlite3 *db, struct buf *reterr_why)
{
	bool is_this;
	sqlite3_int64 version;
	if (sqlite3_db_readonly(db, "main") == 1) {
		return fail_as(SQLITE_FILE_E_SYSTEM, "it cannot be written", reterr_why);
	}
	if (!is_in_wal_mode(db)) {
		return fail_as(SQLITE_FILE_E_SYSTEM, "its file system cannot have SQLite's write-ahead log",
				reterr_why);
	}
	if (!find_writer(db, &version, &is_this)) {
		return fail_as_incomplete(db, reterr_why);
	}
	if (version > SQLITE_SCHEMA_VERSION) {
		return fail_as(SQLITE_FILE_E_NEWER, "it was written by a newer weir", reterr_why);
	}
	if ((version < SQLITE_SCHEMA_VERSION || !is_this) && !sqlite_schema_update(db)) {
		return fail_in_sqlite(db, reterr_why);
	}
	return sqlite_schema_check(db) ? SQLITE_FILE_OK : fail_as_incomplete(db, reterr_why);
}

enum sqlite_file_result sqlite_file_check(sqlite3 *db, struct buf *reterr_why)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK) {
		return fail_in_sqlite(db, reterr_why);
	}
	enum sqlite_file_result result = SQLITE_FILE_OK;
	if (sqlite3_step(statement) == SQLITE_ROW) {
		const char *what = (const char *)sqlite3_column_text(statement, 0);
		if (strcmp(what, "ok") != 0) {
			result = fail_as(SQLITE_FILE_E_DAMAGED, what, reterr_why);
		}
	} else {
		result = fail_in_sqlite(db, reterr_why);
	}
	sqlite3_finalize(statement);
	return result;
}

static enum sqlite_file_result open_one(struct sqlite_file *file, struct buf *reterr_why)
{
	enum sqlite_file_result result = connect_to(file->path, file->sync, &file->db)
			? check(file->db, reterr_why)
			: fail_in_sqlite(file->db, reterr_why);
	if (result != SQLITE_FILE_OK) {
		disconnect(file->db);
	}
	return result;
}

/* ---- One that is not ---- */

/* A log without anything in it may lie there; it is none of the new one. */
static bool create(const char *path, struct buf *reterr_why)
{
	struct sqlite_draft draft;
	if (!path_remove(path, "-wal") || !path_remove(path, "-shm")) {
		buf_append_string(reterr_why, strerror(errno));
		return false;
	}
	return sqlite_draft_begin(&draft, path, reterr_why) && sqlite_draft_commit(&draft, reterr_why);
}

/* ---- Opening ---- */

static enum sqlite_file_result refuse_newer(
		const struct sqlite_examined *examined, struct buf *reterr_why)
{
	const char *writer = examined->written_by[0] != '\0' ? examined->written_by : "a newer weir";
	buf_printf(reterr_why, "it was written by %s, with version %lu of its tables; this is %s",
			writer, (unsigned long)examined->version, sqlite_schema_writer);
	return SQLITE_FILE_E_NEWER;
}

static enum sqlite_file_result open_examined(
		struct sqlite_file *file, const struct sqlite_examined *examined, struct buf *reterr_why)
{
	switch (examined->owner) {
	case SQLITE_OWNER_NOBODY:
		return create(file->path, reterr_why) ? open_one(file, reterr_why) : SQLITE_FILE_E_SYSTEM;
	case SQLITE_OWNER_WEIR:
		return open_one(file, reterr_why);
	case SQLITE_OWNER_DAMAGED:
		return fail_as(SQLITE_FILE_E_DAMAGED, examined->what, reterr_why);
	case SQLITE_OWNER_NEWER:
		return refuse_newer(examined, reterr_why);
	case SQLITE_OWNER_FOREIGN:
		return fail_as(SQLITE_FILE_E_FOREIGN, examined->what, reterr_why);
	}
	return SQLITE_FILE_E_SYSTEM;
}

static enum sqlite_file_result open_resolved(struct sqlite_file *file, struct buf *reterr_why)
{
	struct sqlite_examined examined;
	if (sqlite_salvage_is_under_way(file->path)) {
		return fail_as(SQLITE_FILE_E_DAMAGED, "salvaging it was interrupted", reterr_why);
	}
	if (!sqlite_examine(file->path, &examined)) {
		return fail_as(SQLITE_FILE_E_SYSTEM, strerror(errno), reterr_why);
	}
	return open_examined(file, &examined, reterr_why);
}

static enum sqlite_file_result open_by(
		enum sqlite_file_result (*open_it)(struct sqlite_file *file, struct buf *reterr_why),
		struct sqlite_file *file, const char *path, struct buf *reterr_why)
{
	file->path = path_resolve(path);
	if (file->path == NULL) {
		return fail_as(SQLITE_FILE_E_SYSTEM, strerror(errno), reterr_why);
	}
	enum sqlite_file_result result = open_it(file, reterr_why);
	if (result != SQLITE_FILE_OK) {
		free(file->path);
		*file = (struct sqlite_file){ .db = NULL };
	}
	return result;
}

enum sqlite_file_result sqlite_file_open(
		struct sqlite_file *file, const char *path, enum state_sync sync, struct buf *reterr_why)
{
	*file = (struct sqlite_file){ .sync = sync };
	return open_by(open_resolved, file, path, reterr_why);
}

enum sqlite_file_result sqlite_file_open_in_use(
		struct sqlite_file *file, const char *path, enum state_sync sync, struct buf *reterr_why)
{
	*file = (struct sqlite_file){ .sync = sync };
	return open_by(open_one, file, path, reterr_why);
}

/* ---- Asking ---- */

int64_t sqlite_file_number(sqlite3 *db, const char *text)
{
	sqlite3_stmt *statement;
	int64_t number = 0;
	if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK
			&& sqlite3_step(statement) == SQLITE_ROW) {
		number = sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	return number;
}

bool sqlite_file_is_empty(const struct sqlite_file *file)
{
	return sqlite_file_number(file->db, "SELECT count(*) FROM (SELECT 1 FROM segment LIMIT 1)")
			== 0;
}

void sqlite_file_count(const struct sqlite_file *file, uint64_t *ret_number, uint64_t *ret_grp)
{
	*ret_number = (uint64_t)sqlite_file_number(file->db, "SELECT max(number) FROM segment") + 1;
	*ret_grp = (uint64_t)sqlite_file_number(file->db, "SELECT max(grp) FROM segment") + 1;
}
