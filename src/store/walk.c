#include "store/walk.h"

#include <limits.h>
#include <stdlib.h>

#include "base/memory.h"

static bool is_visited(const struct walk *walk, uint32_t number)
{
	return number < walk->next || (walk->is_ahead[number / CHAR_BIT] >> number % CHAR_BIT & 1) != 0;
}

static struct slot slot_of(const struct walk *walk, uint32_t number)
{
	const struct contents *contents = walk->snapshot.contents;
	return snapshot_slot(&walk->snapshot, HISTORY_GROUP, slots_at(&contents->group_slots, number));
}

/* The group that is about to change is visited if it is of that version. */
static void before_change(struct store_watch *watch, struct group *group)
{
	struct walk *walk = LIST_ENTRY(watch, struct walk, watch);
	uint32_t number = group->slot;
	/* After a wipe it is none that the walk could meet. */
	if (walk->store->contents != walk->snapshot.contents || number >= walk->len
			|| is_visited(walk, number)) {
		return;
	}
	struct slot slot = slot_of(walk, number);
	if (slot_content(slot) == group) {
		walk->is_ahead[number / CHAR_BIT] |= (unsigned char)(1u << number % CHAR_BIT);
		walk->on_group(walk, group, slot_is_shadowed(slot));
	}
}

bool walk_begin(struct walk *walk, struct store *store,
		void (*on_group)(struct walk *walk, struct group *group, bool is_shadowed))
{
	*walk = (struct walk){ .store = store, .on_group = on_group };
	if (!snapshot_open(&walk->snapshot, store)) {
		return false;
	}
	walk->len = walk->snapshot.contents->group_slots.len;
	walk->is_ahead = memory_zalloc(walk->len / CHAR_BIT + 1, 1);
	walk->watch.before_change = before_change;
	store_watch(store, &walk->watch);
	return true;
}

bool walk_step(struct walk *walk, size_t budget)
{
	const struct slots *slots = &walk->snapshot.contents->group_slots;
	while (walk->next < walk->len && budget > 0) {
		const struct group *now = slot_content(*slots_at(slots, walk->next));
		struct slot slot = slot_of(walk, walk->next);
		size_t price = now == NULL ? 1 : now->member_count + 1;
		budget -= price < budget ? price : budget;
		if (!is_visited(walk, walk->next) && slot_content(slot) != NULL) {
			walk->on_group(walk, slot_content(slot), slot_is_shadowed(slot));
		}
		walk->next++;
	}
	return walk->next < walk->len;
}

void walk_end(struct walk *walk)
{
	store_unwatch(walk->store, &walk->watch);
	snapshot_close(&walk->snapshot);
	free(walk->is_ahead);
}
