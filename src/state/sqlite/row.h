#pragma once

/*
 * Rows of the database's log: what their columns say; docs/state.md has the whole.
 */

#include <stdint.h>

#include "base/slice.h"
#include "state/boot.h"

enum {
	ROW_PACKED = 16, /* beside the kind: the record is compressed, by zstd */
	ROW_CLOCK_BYTES = 40,
};

/*
 * The clock that deadlines are stored by. It goes on over restarts, at whatever
 * speed the machine's own clocks say is true; it need not say what they say.
 */
struct state_clock {
	int64_t virtual_ns;
	struct boot_time at; /* when it said that */
};

/* The checksum of a row: of its columns before it, little-endian, and its data. */
uint64_t row_sum(uint64_t number, int kind, uint64_t grp, struct slice data);

void row_put_clock(const struct state_clock *clock, char bytes[static ROW_CLOCK_BYTES]);
void row_get_clock(const char bytes[static ROW_CLOCK_BYTES], struct state_clock *ret_clock);
