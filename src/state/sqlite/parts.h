#pragma once

/*
 * The loop's half of a database, for the files that it is made of: sqlite.c begins and
 * ends it, starting.c fills the store from it, storing.c hands it what changes.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "net/turn.h"
#include "state/ledger.h"
#include "state/sqlite/file.h"
#include "state/sqlite/loader.h"
#include "state/sqlite/repair.h"
#include "state/sqlite/sqlite_state.h"
#include "state/sqlite/thread.h"

struct sqlite_state {
	struct state state;
	struct state_events events;
	struct store *store;
	struct ledger ledger;
	struct sqlite_file file;
	struct record_checks checks;
	struct sqlite_loader loader;
	struct restore restore;
	uint64_t began_ns;    /* the loading; monotonic */
	uint64_t progress_ns; /* when it was told of last */
	struct sqlite_thread thread;
	struct turn turn; /* hands over what was gathered */
	uv_async_t event;
	uv_timer_t retry;
	int open_handles;
	uint64_t retry_ms;    /* 0: the last commit went well */
	uint64_t durable;     /* all changes of the store up to there are */
	uint64_t tried;       /* all changes up to there were known when a set was taken last */
	uint64_t clock_ns;    /* when the clock was stored last; monotonic */
	uint64_t repaired_ns; /* when a repair was begun last; likewise */
	struct change_set *given;
	bool is_loading; /* the loader runs */
	bool is_ready;   /* loaded; the thread runs */
	bool is_waiting; /* for the time to try again */
	bool is_damaged; /* the database is: it has to be repaired first */
	bool is_held;    /* nothing is written: another process may */
	bool is_closing;
	struct state_stats stats;
};

/* ---- starting.c ---- */

/* A damaged one is repaired first. False: the buffer says why. */
bool sqlite_open_file(struct sqlite_state *state, const struct sqlite_state_options *options,
		struct buf *reterr_why);
void sqlite_begin_to_load(struct sqlite_state *state);

/* A unit a turn; false when there is none yet. */
bool sqlite_load_some(struct sqlite_state *state);

/* In the log, if anything was. */
void sqlite_tell_repaired(const struct sqlite_repaired *repaired);

/* ---- storing.c ---- */

/* The store has all that it is to have; from here on changes are stored. */
void sqlite_begin_to_store(struct sqlite_state *state);

/* What was loaded is reported like changes, yet it need not be stored again. */
void sqlite_tell_loaded_is_durable(struct sqlite_state *state);

/* What was gathered is handed over at the end of this turn of the loop, if it can be. */
void sqlite_arm(struct sqlite_state *state);

/*
 * What was gathered, if it can be handed over. False: it has to wait for the end of a change
 * that is made in slices.
 */
bool sqlite_give(struct sqlite_state *state);

/* Tells what came of a set, if anything has. */
void sqlite_take_result(struct sqlite_state *state);
