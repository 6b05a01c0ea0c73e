#include "store/history.h"

#include <assert.h>

#include "base/memory.h"

void history_init(struct history *history)
{
	map_init(&history->by_place);
	list_init(&history->oldest_first);
}

void history_finish(struct history *history)
{
	assert(list_is_empty(&history->oldest_first));
	map_finish(&history->by_place);
}

static uint64_t hash_place(const void *place)
{
	uint64_t address = (uintptr_t)place;
	return (address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

void history_keep(struct history *history, const struct history_entry *entry)
{
	struct history_entry *kept = memory_alloc(sizeof(*kept));
	*kept = *entry;
	map_insert(&history->by_place, &kept->node, hash_place(entry->place));
	list_append(&history->oldest_first, &kept->link);
}

void *history_find(
		const struct history *history, enum history_kind kind, const void *place, uint64_t version)
{
	uint64_t hash = hash_place(place);
	struct map_node *node = map_first(&history->by_place, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct history_entry *entry = MAP_ENTRY(node, struct history_entry, node);
		if (entry->place == place && entry->kind == kind && entry->born <= version
				&& version < entry->died) {
			return entry->content;
		}
	}
	return NULL;
}

struct history_entry *history_take_unneeded(struct history *history, uint64_t oldest_reader)
{
	struct list *link = list_first(&history->oldest_first);
	if (link == NULL) {
		return NULL;
	}
	struct history_entry *entry = LIST_ENTRY(link, struct history_entry, link);
	if (entry->died > oldest_reader) {
		return NULL;
	}
	list_remove(link);
	map_remove(&history->by_place, &entry->node);
	return entry;
}
