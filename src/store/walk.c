#include "store/walk.h"

/* Visits the group if it is of that version and was not visited yet. */
static void visit(struct walk *walk, uint32_t number, const struct group *expected)
{
	const struct contents *contents = walk->snapshot.contents;
	struct slot slot =
			snapshot_slot(&walk->snapshot, HISTORY_GROUP, slots_at(&contents->group_slots, number));
	struct group *group = slot_content(slot);
	bool is_due =
			group != NULL && group->walk != walk->number && (expected == NULL || group == expected);
	if (is_due) {
		group->walk = walk->number;
		walk->on_group(walk, group, slot_is_shadowed(slot));
	}
}

static void before_change(struct store_watch *watch, struct group *group)
{
	struct walk *walk = LIST_ENTRY(watch, struct walk, watch);
	/* After a wipe it is none that the walk could meet. */
	if (walk->store->contents == walk->snapshot.contents) {
		visit(walk, group->slot, group);
	}
}

bool walk_begin(struct walk *walk, struct store *store,
		void (*on_group)(struct walk *walk, struct group *group, bool is_shadowed))
{
	*walk = (struct walk){ .store = store, .on_group = on_group };
	if (!snapshot_open(&walk->snapshot, store)) {
		return false;
	}
	walk->number = ++store->walks;
	walk->watch.before_change = before_change;
	store_watch(store, &walk->watch);
	return true;
}

bool walk_step(struct walk *walk, size_t budget)
{
	const struct slots *slots = &walk->snapshot.contents->group_slots;
	while (walk->next < slots->len && budget > 0) {
		const struct group *group = slot_content(*slots_at(slots, walk->next));
		size_t price = group == NULL ? 1 : group->member_count + 1;
		budget -= price < budget ? price : budget;
		visit(walk, walk->next++, NULL);
	}
	return walk->next < slots->len;
}

void walk_end(struct walk *walk)
{
	store_unwatch(walk->store, &walk->watch);
	snapshot_close(&walk->snapshot);
}
