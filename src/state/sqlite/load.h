#pragma once

/*
 * Reads all groups of a database, newest rows first, on any thread.
 *
 * The newest whole row of a group is the group; pushes that were met before it are
 * newer than it and are put on top. Older rows of the group are dead.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "state/record.h"
#include "state/sqlite/grp_set.h"
#include "state/sqlite/loaded.h"
#include "state/sqlite/row.h"

struct ZSTD_DCtx_s;

enum sqlite_load_result {
	SQLITE_LOAD_OK,
	SQLITE_LOAD_STOPPED,   /* on_unit() wanted no more */
	SQLITE_LOAD_E_DAMAGED, /* it cannot be read on: see fault; what was read is good */
	SQLITE_LOAD_E_SYSTEM,  /* see fault */
};

struct sqlite_load {
	/* Set by the caller. */
	sqlite3 *db;
	const struct record_checks *checks;
	/* Takes the unit; may block; false: no more. */
	bool (*on_unit)(void *data, struct loaded_unit *unit);
	void *data;

	/* What was found; valid after the run. */
	uint64_t rows;      /* read so far */
	uint64_t row_count; /* that there are, about */
	uint64_t expired;   /* groups */
	uint64_t faults;
	uint64_t next_number; /* higher than any there is */
	uint64_t next_grp;    /* likewise */
	uint64_t set_aside;   /* rows, now or at an earlier start */
	uint64_t log_bytes;   /* that the database has in use */
	int64_t ahead_ns;     /* of the clock that deadlines are stored by, to the monotonic one */
	int fault;            /* SQLite's extended code */

	/* Its own. */
	struct grp_set done;
	struct map held;         // held_group::node
	struct list held_groups; // held_group::link
	struct list bad;         // bad_row::link
	struct loaded_unit *unit;
	struct ZSTD_DCtx_s *zstd;
	int64_t now_ns; /* monotonic */
};

/* Reads them all. To be finished whatever comes of it. */
enum sqlite_load_result sqlite_load_run(struct sqlite_load *load);
void sqlite_load_finish(struct sqlite_load *load);
