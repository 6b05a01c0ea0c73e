#pragma once

/*
 * A database that is being made: PATH.new, which takes the place of PATH when it
 * is on disk. So whatever happens when, what is called PATH is whole.
 */

#include <sqlite3.h>
#include <stdbool.h>

#include "base/buf.h"

struct sqlite_draft {
	sqlite3 *db; /* with all tables; in a transaction, which must not be ended */
	char *path;
	const char *target; /* the caller's */
};

/* In the place of one that was left by a crash. False: the buffer says why. */
bool sqlite_draft_begin(struct sqlite_draft *draft, const char *target, struct buf *reterr_why);

/*
 * Takes the place of the target, of which SQLite may have left no log. Ends the
 * draft in any case. False: the buffer says why.
 */
bool sqlite_draft_commit(struct sqlite_draft *draft, struct buf *reterr_why);
void sqlite_draft_abandon(struct sqlite_draft *draft);
