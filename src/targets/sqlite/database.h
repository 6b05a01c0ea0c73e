#pragma once

/*
 * The SQLite file of the targets: opened, made, brought up to date. Nothing is done to a
 * file before it is certain that it is one of targets, of a version that is known.
 */

#include <sqlite3.h>

#include "base/buf.h"

enum { TARGETS_SQLITE_VERSION = 3 /* of the tables */ };

enum database_result {
	DATABASE_OK,
	DATABASE_E_UNUSABLE, /* another program's, or a newer weir's: it was not touched */
	DATABASE_E_AWAY,     /* it cannot be opened or written now */
};

/*
 * Makes it when there is none, together with others who may do so at the same time. If
 * it is not OK nothing is open, and the buffer says why.
 */
enum database_result database_open(const char *path, sqlite3 **ret_db, struct buf *reterr_why);
