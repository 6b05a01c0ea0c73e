#pragma once

/*
 * Puts into an empty store what was in one before. Nothing is refused: limits
 * do not count, and what contradicts something else, or is wrong by itself, is
 * kept; what of it is exposed is settled in the end, see shadow.h.
 */

#include "store/push.h"

struct restore {
	struct store *store;
	uint64_t gaps; /* empty slots that there may still be */
};

/* So many slots may stay empty, of all that are there; beyond that slots are any. */
void restore_begin(struct restore *restore, struct store *store, uint64_t gaps);

/* A group that was there since then, in that slot, unless it is there already. */
void restore_group(
		struct restore *restore, const struct group_key *key, uint32_t place, int64_t since_ns);

/*
 * The two halves of restore_push(). The first touches no store: it runs on any
 * thread; of the families in what comes of it, the places are to be set, or
 * SLOT_NONE, and since when the group has them.
 */
bool restore_prepare(const struct batch *batch, const struct group_key *key, struct arena *arena,
		struct prepared_push *ret_prepared);
void restore_prepared(struct restore *restore, const struct group_key *key,
		struct prepared_push *prepared, int64_t pushed_ns, struct arena *arena);

/*
 * Posts the batch to the group; `places` are the slots of its families, `since_ns` says
 * since when it has them. False when it has more bytes than one push can have.
 */
bool restore_push(struct restore *restore, const struct group_key *key, const struct batch *batch,
		const uint32_t *places, const int64_t *since_ns, int64_t pushed_ns, struct arena *arena);

/* Behind what is pushed to it; the deadline is monotonic, 0: never. */
void restore_set_times(struct restore *restore, const struct group_key *key,
		struct group_times times, int64_t deadline_ns);

void restore_end(struct restore *restore);
