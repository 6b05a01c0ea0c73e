#pragma once

/*
 * Puts into an empty store what was in one before. Nothing is refused: limits
 * do not count, and what contradicts something that was put in earlier, or is
 * wrong by itself, is kept and not exposed.
 */

#include "store/push.h"

struct restore {
	struct store *store;
	struct store_options options; /* the store's own, which are back afterwards */
	uint64_t gaps;                /* empty slots that there may still be */
};

/* So many slots may stay empty, of all that are there; beyond that slots are any. */
void restore_begin(struct restore *restore, struct store *store, uint64_t gaps);

/* A group, in that slot, unless it is there already. */
void restore_group(struct restore *restore, const struct group_key *key, uint32_t place);

/*
 * Posts the batch to the group; `places` are the slots of its families. False
 * when it has more bytes than one push can have.
 */
bool restore_push(struct restore *restore, const struct group_key *key, const struct batch *batch,
		const uint32_t *places, int64_t pushed_ns, struct arena *arena);

/* Behind what is pushed to it; the deadline is monotonic, 0: never. */
void restore_set_times(struct restore *restore, const struct group_key *key,
		struct group_times times, int64_t deadline_ns);

void restore_end(struct restore *restore);
