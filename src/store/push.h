#pragma once

/*
 * Applies a prepared push: check, then change. Nothing changes until all of it
 * is valid.
 *
 * A push of up to SLICE_FAMILIES families and SLICE_LINES lines is applied in
 * one call. A larger one
 * takes a slice a call and the caller lets the loop turn in between. Meanwhile
 * other pushes go on, except those that would change which families there are
 * or what is in them apart from values; they are told to wait. Scrapes that
 * run go on; none can be opened while the change itself is being made, so that
 * each sees all of the push or nothing.
 *
 *     CLAIMING    each family is found or made, and claimed
 *     CHECKING    each block is checked against what is exposed
 *     COMMITTING  each block goes into its slot, then what a put leaves out goes
 */

#include "base/arena.h"
#include "store/check.h"
#include "store/prepare.h"
#include "store/store.h"
#include "store/wear.h"

enum {
	SLICE_FAMILIES = 2048, /* claimed, checked or committed in one slice */
	SLICE_LINES = 16 * 1024,
};

enum store_method {
	STORE_PUT,  /* the group has these families, and no others */
	STORE_POST, /* the group has these families, and keeps its others */
};

enum push_result {
	PUSH_OK,
	PUSH_AGAIN,          /* a slice is done: call again on another turn of the loop */
	PUSH_WAIT,           /* another push is being applied: start over on another turn */
	PUSH_E_INCONSISTENT, /* see the fault */
	PUSH_E_LIMIT,        /* see the limit */
};

enum push_phase {
	PUSH_CLAIMING,
	PUSH_CHECKING,
	PUSH_COMMITTING,
	PUSH_REMOVING,
	PUSH_UNCLAIMING,
};

struct store_push {
	/* What to apply; set by push_init(). */
	struct store *store;
	const struct group_key *key;
	struct prepared_push *push;
	struct arena *arena;
	enum store_method method;
	struct store_job_limits job_limits;
	int64_t now_ns;                  /* Unix time */
	int64_t deadline_ns;             /* monotonic; 0: never */
	const struct group_times *times; /* the group's from then on; NULL: it was pushed now */
	uint32_t place;                  /* the slot to take if the group is new; SLOT_NONE: any */
	int64_t since_ns;                /* the group's from then on; 0: as it is, or pushed just now */
	/*
	 * It comes from elsewhere and is not to be refused, whatever the store's options are:
	 * limits do not count, and what contradicts something is shadowed.
	 */
	bool is_given;

	/* Why not, after a refusal. */
	struct batch_fault fault;
	enum store_limit limit;
	bool is_job_limit; /* the job's, not that of all */

	/* How far it is. */
	enum push_phase phase;
	enum push_result result; /* decided, but claims are still to be given back */
	size_t next;
	struct group *group;
	struct shape *shape;
	bool has_twin;
	struct check_cursor cursor; /* of the block that is being checked */
	uint64_t version;
	struct member *members; /* the group's to be, in the arena */
	struct member *old_members;
	struct wear wear;
	uint32_t old_member_count;
};

/*
 * Everything passed in stays the caller's; on PUSH_OK the pack is the store's.
 * Times and the job's limits are to be set before the first step.
 */
void push_init(struct store_push *op, struct store *store, enum store_method method,
		const struct group_key *key, struct prepared_push *push, struct arena *arena);

/*
 * Slots that were asked for are forgotten where too many before them would stay
 * empty: more than the budget has. Before the first step.
 */
void push_limit_places(struct store_push *op, uint64_t *gaps);

enum push_result push_step(struct store_push *op);

/*
 * Before a step: gives up what was claimed, as if no step had been done. False
 * when the store is being changed already, and the steps have to be gone on with.
 */
bool push_retreat(struct store_push *op);
