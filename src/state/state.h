#pragma once

/*
 * Durable groups: what the store has, kept where it outlives the process.
 *
 * A state listens to the store and makes its changes durable, in their order, as
 * fast as the place where they are kept allows: while some are being written,
 * those that come gather for the next time. It publishes how far it is, by the
 * numbers that the store gives to changes; whoever waits for a change to be
 * durable goes by that.
 *
 * At the start it fills the store; until then nobody else may change it. What it
 * cannot store stays in the store, is reported once for each time that it fails,
 * and tried again until it works.
 *
 * Everything here is called on the loop thread, and calls back on it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/group_key.h"
#include "store/store.h"

struct state;
struct state_loaded;
struct state_stats;

/* What could not be read. */
struct state_fault {
	struct slice key; /* of the group, as far as it can be told: job="x"; ptr NULL: cannot */
	uint64_t number;  /* of the row */
	const char *what;
};

struct state_events {
	/* So many of so many rows are loaded; now and then. */
	void (*on_progress)(void *data, uint64_t rows, uint64_t row_count);
	/* The store has what was kept; changes count from now on. */
	void (*on_loaded)(void *data, const struct state_loaded *loaded);
	/* It turned out that it cannot be had: the text says why. Close the state then. */
	void (*on_unusable)(void *data, struct slice why);
	/* Some of it could not be read. */
	void (*on_fault)(void *data, const struct state_fault *fault);
	/* Every change up to that number is durable, of the groups of that lane. */
	void (*on_durable)(void *data, size_t lane, uint64_t number);
	/* Those up to that number are not all: they are in memory, and tried again. */
	void (*on_failed)(void *data, size_t lane, uint64_t number, struct slice why);
	/* Nothing of that lane can be stored for some time: changes to it shall be refused. */
	void (*on_away)(void *data, size_t lane, struct slice why);
	/* It can be again. */
	void (*on_back)(void *data, size_t lane);
	/* So many changes were made durable in one go, which took so long. */
	void (*on_commit)(void *data, uint64_t changes, double seconds);
	/* All is stored that could be, and nothing is open any more. */
	void (*on_closed)(void *data);
	void *data;
};

/* What was there at the start. */
struct state_loaded {
	uint64_t groups;
	uint64_t series;
	uint64_t expired; /* groups whose time was over */
	uint64_t faults;
	uint64_t bytes; /* of what was read */
	double seconds;
};

/* What is happening; see the metrics of the same names in docs/state.md. */
struct state_stats {
	uint64_t failures;
	int64_t last_commit_ns; /* Unix time; 0: none yet */
	uint64_t waiting;       /* changes that are not durable */
	uint64_t bytes;         /* on disk */
	uint64_t set_aside;     /* records that could not be read */

	/* Of one that several weirs share. */
	bool is_shared;
	unsigned replica;     /* this weir's number among them */
	uint64_t away;        /* lanes of which nothing can be stored */
	uint64_t outages;     /* begun */
	int64_t seen_ns;      /* Unix time when the last one began; 0: it was never all there */
	uint64_t resent;      /* groups that were sent again */
	uint64_t rescans;     /* times that all groups of a lane were read again */
	uint64_t epochs;      /* times that a lane was found emptied */
	uint64_t epoch_us;    /* Unix time when what is there began */
	uint64_t received;    /* changes of others */
	uint64_t position_ms; /* Unix time of the last of them */
	double lag_seconds;   /* how old it was when it was read */
	uint64_t commands;    /* sent */
	uint64_t round_trips; /* that they took */
	bool is_up;           /* all its servers are connected, and take what is written */
	uint64_t connections; /* to them */
	uint64_t waiting_commands;
	uint64_t answers;
	double answer_seconds; /* that they took together */
};

/* What a place to keep groups in has to offer. */
struct state_backend {
	void (*close)(struct state *state);
	bool (*hand_over)(struct state *state, int fd);
	void (*resume)(struct state *state);
	void (*take_over)(struct state *state, int fd);
	bool (*is_new)(const struct state *state);
	bool (*is_behind)(const struct state *state);
	void (*collect)(const struct state *state, struct state_stats *ret_stats);
	/* Groups are spread over so many lanes, each of which becomes durable by itself. */
	size_t lanes;
	size_t (*lane_of)(const struct group_key *key);
};

/*
 * Opened by one of the backends; see sqlite/sqlite_state.h and redis/redis_state.h. The store
 * must be empty then. Events come from a later turn of the loop on. All that is
 * passed in outlives the state, the options only that call.
 */
struct state {
	const struct state_backend *backend;
};

/*
 * Stores what is not stored yet, or tries to, then closes. The state is gone when
 * on_closed is called. Whether all was stored: state_is_behind() in that call.
 */
void state_close(struct state *state);

/*
 * For a process that hands over what is in the store to another one: appends to the
 * file what that has to know of what is durable. All has to be. From then on nothing is
 * written, until state_resume(). False: errno says why.
 */
bool state_hand_over(struct state *state, int fd);
void state_resume(struct state *state);

/*
 * For the other one, when the store has everything. The file stands where the first
 * one began to write; -1: it kept its groups elsewhere, and all are to be stored.
 */
void state_take_over(struct state *state, int fd);

/* Nothing was ever kept there. */
bool state_is_new(const struct state *state);

/* There are changes that are not durable. */
bool state_is_behind(const struct state *state);

void state_collect(const struct state *state, struct state_stats *ret_stats);
