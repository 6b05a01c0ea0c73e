#pragma once
#include "state/state.h"
#include <sqlite3.h>
struct sqlite_file {
	sqlite3 *db;
	char *path;
	enum state_sync sync;
};
bool sqlite_file_open(struct sqlite_file *file, const char *path, enum state_sync sync);
sqlite3 *sqlite_file_open_second(const struct sqlite_file *file);
void sqlite_file_close(struct sqlite_file *file);

/* It has no rows. */
bool sqlite_file_is_empty(const struct sqlite_file *file);

/* The next numbers that no row has. */
void sqlite_file_count(const struct sqlite_file *file, uint64_t *ret_number, uint64_t *ret_grp);
