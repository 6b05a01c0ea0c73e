#pragma once

/*
 * Makes a group of its rows, for load.c: records, batches, and lines as they will be
 * scraped. What is wrong with a row is reported, and the rest of the group made.
 */

#include <stdbool.h>
#include <stdint.h>

#include "state/sqlite/load.h"

/* A row that was read. */
struct sqlite_row {
	uint64_t number;
	uint64_t grp;
	int kind;
	struct slice data; /* as it is stored */
};

/* What was read of one group. */
struct sqlite_building {
	struct loaded_unit *unit;
	struct loaded_group *group;
	int64_t expires_ns;
	bool has_any; /* some row could be read */
};

/* The unit that is being filled. */
struct loaded_unit *sqlite_build_unit(struct sqlite_load *load);

/* That the row cannot be read, whose group the record may tell; it is set aside later. */
void sqlite_build_report(struct sqlite_load *load, const struct sqlite_row *row,
		struct slice record, const char *what);

/* Of the group of that number, whose first row has the number of the base. */
void sqlite_build_begin(
		struct sqlite_load *load, struct sqlite_building *b, uint64_t grp, uint64_t base);

/* The next row, in ascending order. */
void sqlite_build_add(
		struct sqlite_load *load, struct sqlite_building *b, const struct sqlite_row *row);

/* It is in the unit, or its time is over. */
void sqlite_build_end(struct sqlite_load *load, struct sqlite_building *b);
