#pragma once

/*
 * A state in an SQLite database, for one weir.
 */

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "state/record.h"
#include "state/state.h"

enum state_sync {
	STATE_SYNC_FULL,   /* what is durable survives a power cut */
	STATE_SYNC_NORMAL, /* it survives the end of the process */
};

struct sqlite_state_options {
	const char *path; /* of the database */
	enum state_sync sync;
	struct record_checks checks;
	bool is_taken_over; /* nothing is loaded: state_take_over() is to come */
	bool is_in_use;     /* by the weir that this one takes over from */
};

/* NULL: it cannot be opened, or not by this weir, and is left as it is; the buffer says why. */
struct state *sqlite_state_open(const struct sqlite_state_options *options, uv_loop_t *loop,
		struct store *store, const struct state_events *events, struct buf *reterr_why);
