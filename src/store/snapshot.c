#include "store/snapshot.h"

#include <stdio.h>

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

const struct block *snapshot_block(
		const struct snapshot *snapshot, const struct family *family, uint32_t number)
{
	struct slot slot = snapshot_slot(snapshot, HISTORY_BLOCK, slots_at(&family->slots, number));
	return slot_is_exposed(slot) ? slot_content(slot) : NULL;
}

const struct group *snapshot_group(const struct snapshot *snapshot, uint32_t number)
{
	struct slot slot = snapshot_slot(
			snapshot, HISTORY_GROUP, slots_at(&snapshot->contents->group_slots, number));
	return slot_is_exposed(slot) ? slot_content(slot) : NULL;
}

static unsigned types_of_blocks(
		const struct snapshot *snapshot, const struct family *family, unsigned types)
{
	if (family->types_born <= snapshot->version) {
		for (enum metric_type type = 0; type < METRIC_TYPE_COUNT; type++) {
			types |= family->exposed_by_type[type] > 0 ? 1u << type : 0;
		}
		return types;
	}
	for (uint32_t i = 0; i < family->slots.len; i++) {
		const struct block *block = snapshot_block(snapshot, family, i);
		types |= block == NULL ? 0 : 1u << block->type;
	}
	return types;
}

unsigned snapshot_types(const struct snapshot *snapshot, const struct family *family)
{
	unsigned own = family->declaration == NULL ? 0 : 1u << family->declaration->type;
	unsigned types = types_of_blocks(snapshot, family, family_is_settled(family) ? own : 0);
	return types == 0 && family_is_yielding(family) ? own : types;
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

size_t snapshot_format_time(const struct snapshot *snapshot, const struct family *family,
		const struct group *group, char ret_text[static SNAPSHOT_TIME_MAX])
{
	struct group_times times = snapshot_times(snapshot, group);
	bool is_push = family->declaration->source == DECLARATION_PUSH_TIMES;
	int64_t ns = is_push ? times.pushed_ns : times.failed_ns;
	if (ns == 0) {
		*ret_text = '0';
		return 1;
	}
	long long us = ns / 1000;
	return (size_t)snprintf(ret_text, SNAPSHOT_TIME_MAX, "%lld.%06lld", us / 1000000, us % 1000000);
}
