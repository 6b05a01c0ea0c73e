#include "store/snapshot.h"

bool snapshot_open(struct snapshot *snapshot, struct store *store)
{
	if (store->is_committing || store->deleting != NULL) {
		return false;
	}
	snapshot->contents = store->contents;
	snapshot->version = store->version;
	list_append(&store->contents->snapshots, &snapshot->link);
	return true;
}

void snapshot_close(struct snapshot *snapshot)
{
	list_remove(&snapshot->link);
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
