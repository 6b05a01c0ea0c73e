#include "state/sqlite_file.h"
#include <stdlib.h>
#include <string.h>
static sqlite3 *open_db(const char *path, enum state_sync sync)
{
	sqlite3 *db;
	if (sqlite3_open_v2(
				path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL)
			!= SQLITE_OK) {
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db, 10000);
	sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL);
	sqlite3_exec(db,
			sync == STATE_SYNC_FULL ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", NULL,
			NULL, NULL);
	return db;
}
bool sqlite_file_open(struct sqlite_file *file, const char *path, enum state_sync sync)
{
	file->db = open_db(path, sync);
	file->path = strdup(path);
	file->sync = sync;
	return file->db != NULL
			&& sqlite3_exec(file->db,
					   "PRAGMA application_id=0x77656972; CREATE TABLE IF NOT EXISTS "
					   "segment(number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, grp INTEGER NOT "
					   "NULL, sum INTEGER NOT NULL, data BLOB NOT NULL); CREATE TABLE IF NOT "
					   "EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID; PRAGMA "
					   "user_version=1",
					   NULL, NULL, NULL)
			== SQLITE_OK;
}
sqlite3 *sqlite_file_open_second(const struct sqlite_file *file)
{
	return open_db(file->path, file->sync);
}
void sqlite_file_close(struct sqlite_file *file)
{
	sqlite3_close(file->db);
	free(file->path);
}

static int64_t read_number(sqlite3 *db, const char *text)
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
	return read_number(file->db, "SELECT count(*) FROM (SELECT 1 FROM segment LIMIT 1)") == 0;
}

void sqlite_file_count(const struct sqlite_file *file, uint64_t *ret_number, uint64_t *ret_grp)
{
	*ret_number = (uint64_t)read_number(file->db, "SELECT max(number) FROM segment") + 1;
	*ret_grp = (uint64_t)read_number(file->db, "SELECT max(grp) FROM segment") + 1;
}
