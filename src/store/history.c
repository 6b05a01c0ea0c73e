#include "store/history.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

/* Large enough to be a mapping of its own: it leaves no hole when it goes. */
enum { SLAB_ENTRIES = 8192 };

struct history_slab {
	struct history_slab *older;
	struct history_entry entries[SLAB_ENTRIES];
};

void history_init(struct history *history)
{
	*history = (struct history){ 0 };
	map_init(&history->by_place);
	list_init(&history->snapshots);
	list_init(&history->loose);
}

static void free_slabs(struct history *history)
{
	while (history->slabs != NULL) {
		struct history_slab *older = history->slabs->older;
		free(history->slabs);
		history->slabs = older;
	}
	history->spares = NULL;
}

void history_finish(struct history *history)
{
	assert(list_is_empty(&history->snapshots) && list_is_empty(&history->loose));
	map_finish(&history->by_place);
	free_slabs(history);
}

static struct history_entry *take_spare(struct history *history)
{
	if (history->spares == NULL) {
		struct history_slab *slab = memory_alloc(sizeof(*slab));
		slab->older = history->slabs;
		history->slabs = slab;
		for (size_t i = 0; i < SLAB_ENTRIES; i++) {
			slab->entries[i].content = history->spares;
			history->spares = &slab->entries[i];
		}
	}
	struct history_entry *entry = history->spares;
	history->spares = entry->content;
	history->used++;
	return entry;
}

void history_free(struct history *history, struct history_entry *entry)
{
	entry->content = history->spares;
	history->spares = entry;
	if (--history->used == 0) {
		free_slabs(history);
	}
}

void history_open(struct history *history, struct snapshot *snapshot)
{
	list_init(&snapshot->kept);
	list_append(&history->snapshots, &snapshot->link);
}

void history_close(struct history *history, struct snapshot *snapshot)
{
	list_remove(&snapshot->link);
	list_append_all(&history->loose, &snapshot->kept);
}

/* The newest snapshot that saw the content; NULL: none did. */
static struct snapshot *find_reader(const struct history *history, uint64_t born, uint64_t died)
{
	for (struct list *link = history->snapshots.prev; link != &history->snapshots;
			link = link->prev) {
		struct snapshot *snapshot = LIST_ENTRY(link, struct snapshot, link);
		if (snapshot->version < died) {
			return snapshot->version >= born ? snapshot : NULL;
		}
	}
	return NULL;
}

bool history_is_needed(const struct history *history, uint64_t born)
{
	return find_reader(history, born, UINT64_MAX) != NULL;
}

static uint64_t hash_place(const void *place)
{
	uint64_t address = (uintptr_t)place;
	return (address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

void history_keep(struct history *history, const struct history_entry *entry)
{
	struct history_entry *kept = take_spare(history);
	*kept = *entry;
	map_insert(&history->by_place, &kept->node, hash_place(entry->place));
	list_append(&find_reader(history, entry->born, entry->died)->kept, &kept->link);
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

struct history_entry *history_take_unneeded(struct history *history, size_t *budget)
{
	struct list *link;
	while (*budget > 0 && (link = list_first(&history->loose)) != NULL) {
		struct history_entry *entry = LIST_ENTRY(link, struct history_entry, link);
		struct snapshot *reader = find_reader(history, entry->born, entry->died);
		(*budget)--;
		list_remove(link);
		if (reader == NULL) {
			map_remove(&history->by_place, &entry->node);
			return entry;
		}
		list_append(&reader->kept, link);
	}
	return NULL;
}
