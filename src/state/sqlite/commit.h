#pragma once

/*
 * Writes sets of changes to the database, each in one transaction. For one
 * thread at a time.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "state/change_set.h"
#include "state/sqlite/row.h"

struct ZSTD_CCtx_s;

struct sqlite_commit {
	sqlite3 *db; /* the caller's */
	sqlite3_stmt *begin;
	sqlite3_stmt *end;
	sqlite3_stmt *undo;
	sqlite3_stmt *insert;
	sqlite3_stmt *delete_some;
	sqlite3_stmt *set_clock;
	struct buf record;
	struct buf packed;
	struct ZSTD_CCtx_s *zstd;
	uint64_t last;        /* the last row's number: it stays, or numbers would begin anew */
	uint64_t floor;       /* rows below are of no use */
	uint64_t deleted;     /* all rows below are deleted */
	uint64_t data_bytes;  /* of all records written so far, about */
	uint64_t swept_bytes; /* the same, when all that was of no use was deleted last */
	int fault;            /* SQLite's extended code of what failed last */
	char why[128];        /* the same in words */
};

/* False: see why. */
bool sqlite_commit_init(struct sqlite_commit *commit, sqlite3 *db);
void sqlite_commit_finish(struct sqlite_commit *commit);

/*
 * All of the set, the clock if there is one, and a share of the deleting that is
 * due; or nothing: see why.
 */
bool sqlite_commit_set(struct sqlite_commit *commit, const struct change_set *set,
		const struct state_clock *clock);

/* There are many rows that are of no use. */
bool sqlite_commit_has_dead(const struct sqlite_commit *commit);

/* Deletes a share of them. */
bool sqlite_commit_delete_some(struct sqlite_commit *commit);
