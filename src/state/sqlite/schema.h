#pragma once

/*
 * The tables of the database, and how those of older versions become those of
 * this; docs/state.md says what is in them.
 */

#include <sqlite3.h>
#include <stdbool.h>

enum {
	SQLITE_SCHEMA_APPLICATION = 0x77656972, /* "weir" */
	SQLITE_SCHEMA_VERSION = 1,
	SQLITE_SCHEMA_SEGMENT_ROOT = 2, /* the page at which its table begins */
};

/* What "written_by" says of a database that this weir has opened: "weir 0.1.0". */
extern const char sqlite_schema_writer[];

/*
 * Makes what is missing, from nothing or from an older version, and puts this
 * weir's name to it; all of it or nothing. False: see sqlite3_errmsg().
 */
bool sqlite_schema_update(sqlite3 *db);

/* The tables are there. False: see sqlite3_errmsg(). */
bool sqlite_schema_check(sqlite3 *db);

/* Whether the statement has a row; its first column, if it is a number. */
bool sqlite_schema_number(sqlite3 *db, const char *statement, sqlite3_int64 *ret_number);
