#pragma once

/*
 * The database file: SQLite, with a write-ahead log beside it.
 *
 *     PATH                 the database
 *     PATH-wal, PATH-shm   SQLite's own
 *     PATH.new             being made; takes the place of PATH when it is whole
 *     PATH.damaged-TIME    one that could not be read as a whole; see sqlite_salvage.h
 *
 * Nothing is done to a file before it is certain that it is weir's, and of a
 * version that this weir knows.
 */

#include <sqlite3.h>

#include "base/buf.h"
#include "state/sqlite/sqlite_state.h"

struct sqlite_file {
	sqlite3 *db;
	char *path; /* without symbolic links */
	enum state_sync sync;
};

enum sqlite_file_result {
	SQLITE_FILE_OK,
	SQLITE_FILE_E_FOREIGN, /* another program's; it was not touched */
	SQLITE_FILE_E_NEWER,   /* a newer weir's; it was not touched */
	SQLITE_FILE_E_DAMAGED, /* weir's, but not whole: salvage it, then open it again */
	SQLITE_FILE_E_SYSTEM,  /* it cannot be opened, made or written */
};

/*
 * Makes it when there is none; one of an older version becomes one of this. The
 * caller sees to it that no other weir uses it. Unless all is well nothing is open,
 * and the buffer says why.
 */
enum sqlite_file_result sqlite_file_open(
		struct sqlite_file *file, const char *path, enum state_sync sync, struct buf *reterr_why);

/*
 * One that the weir before has open, which this one takes over from. Its files change
 * while they are looked at, so it is never called damaged by their bytes alone.
 */
enum sqlite_file_result sqlite_file_open_in_use(
		struct sqlite_file *file, const char *path, enum state_sync sync, struct buf *reterr_why);

/*
 * Reads all of it, to see whether it is whole: OK, DAMAGED or SYSTEM. A table may have
 * lost rows without anyone noticing who reads only what is there. Takes half a second
 * for a million rows that are in memory; for any thread that has the connection.
 */
enum sqlite_file_result sqlite_file_check(sqlite3 *db, struct buf *reterr_why);

/* Another connection to it; NULL: it cannot be had. */
sqlite3 *sqlite_file_open_second(const struct sqlite_file *file);

/* After all other connections to it: the last one puts the log into the file. */
void sqlite_file_close(struct sqlite_file *file);

/* The one number that the statement asks for; 0 when there is none, or it cannot be read. */
int64_t sqlite_file_number(sqlite3 *db, const char *text);

/* It has no rows. */
bool sqlite_file_is_empty(const struct sqlite_file *file);

/* The next numbers that no row has. */
void sqlite_file_count(const struct sqlite_file *file, uint64_t *ret_number, uint64_t *ret_grp);

/* Gives up the connection; file and log stay as they are. To be closed still. */
void sqlite_file_leave(struct sqlite_file *file);
