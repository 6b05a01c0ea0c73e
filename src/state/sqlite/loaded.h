#pragma once

/*
 * Groups that were read from a database, on their way to the store: made ready on
 * one thread, put in on the loop's.
 *
 *      thread: row -> record -> batch -> lines       loop: into the store
 *              '-------------- unit ---------------> a unit a turn
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "model/group_key.h"
#include "state/ledger.h"
#include "store/prepare.h"
#include "store/restore.h"

struct loaded_push {
	struct list link;
	struct prepared_push prepared;
	int64_t pushed_ns;
};

struct loaded_group {
	struct list link;
	struct group_key key;
	uint32_t place;
	struct group_times times;
	int64_t since_ns;
	int64_t deadline_ns; /* monotonic; 0: never */
	struct list pushes;  // loaded_push::link, oldest first
	uint64_t grp;
	uint64_t base;
	uint64_t bytes; /* of all its rows that count */
};

/* What could not be read. */
struct loaded_fault {
	struct list link;
	struct slice key; /* of the group, as far as it can be told; ptr NULL: it cannot */
	uint64_t number;  /* of the row */
	const char *what;
};

struct loaded_unit {
	struct list link;
	struct list groups; // loaded_group::link
	struct list faults; // loaded_fault::link
	struct arena arena; /* everything is in it, but for the packs */
	size_t bytes;
	uint64_t rows; /* read so far, with this unit */
};

struct loaded_unit *loaded_unit_create(void);

/* Frees also what was not put in. */
void loaded_unit_destroy(struct loaded_unit *unit);

/* All groups of the unit go into the store and the ledger. */
void loaded_unit_put(struct loaded_unit *unit, struct restore *restore, struct ledger *ledger);
