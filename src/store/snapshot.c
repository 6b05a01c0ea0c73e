#include "store/snapshot.h"

bool snapshot_is_possible(const struct store *store)
{
	return !store->is_committing && store->deleting == NULL;
}

bool snapshot_open(struct snapshot *snapshot, struct store *store)
{
	if (!snapshot_is_possible(store)) {
		return false;
	}
	snapshot->contents = store->contents;
	snapshot->version = store->version;
	history_open(&store->contents->history, snapshot);
	return true;
}

void snapshot_close(struct snapshot *snapshot)
{
	history_close(&snapshot->contents->history, snapshot);
}

struct slot snapshot_slot(
		const struct snapshot *snapshot, enum history_kind kind, const struct slot *slot)
{
	if (slot->born <= snapshot->version) {
		return *slot;
	}
	void *content = history_find(&snapshot->contents->history, kind, slot, snapshot->version);
	return (struct slot){ .tagged = (uintptr_t)content };
}

struct group_times snapshot_times(const struct snapshot *snapshot, const struct group *group)
{
	if (group->times_born <= snapshot->version) {
		return group->times;
	}
	const struct group_times *times =
			history_find(&snapshot->contents->history, HISTORY_TIMES, group, snapshot->version);
	return times != NULL ? *times : (struct group_times){ 0 };
}
