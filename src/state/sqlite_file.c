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
