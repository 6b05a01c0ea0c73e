#pragma once

/*
 * Goes through all groups of one version of the store, in slices, while the
 * store goes on. Any number of walks may be under way.
 *
 * A snapshot keeps every block of that version, but not which group has it: a
 * group lists what it has now. So a group that is about to change is visited
 * before it does.
 */

#include <stdbool.h>

#include "store/snapshot.h"

struct walk {
	struct store *store;
	struct snapshot snapshot;
	struct store_watch watch;
	uint32_t next;           /* slot to look at */
	uint32_t len;            /* slots that there were when it began */
	unsigned char *is_ahead; /* a bit for each of them: visited before its turn */
	/*
	 * The group as the walk sees it, its members as they were in that version;
	 * their blocks are read through the snapshot.
	 */
	void (*on_group)(struct walk *walk, struct group *group, bool is_shadowed);
};

/* False while a change is being made in slices: try again on another turn. */
bool walk_begin(struct walk *walk, struct store *store,
		void (*on_group)(struct walk *walk, struct group *group, bool is_shadowed));

/* Visits groups of up to about `budget` blocks. True when more are left. */
bool walk_step(struct walk *walk, size_t budget);

/* What the walk has seen may be read until here, on any thread. */
void walk_end(struct walk *walk);

/* The member's block in that version, shadowed or not. */
static inline struct slot walk_slot(const struct walk *walk, const struct member *member)
{
	return snapshot_slot(
			&walk->snapshot, HISTORY_BLOCK, slots_at(&member->family->slots, member->slot));
}
