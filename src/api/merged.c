#include "api/merged.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct merged_series {
	struct map_node node;
	struct list link;
	uint64_t seen_ns;
};

struct merged_family {
	struct map_node node;
	struct list link;
	int64_t posted_ns;
};

struct merged *merged_create(struct slice instance)
{
	struct merged *merged = memory_zalloc(1, sizeof(*merged));
	merged->instance = memory_alloc(instance.len + 1);
	memcpy(merged->instance, instance.ptr, instance.len);
	merged->instance_len = instance.len;
	merged->needs_look = true;
	list_init(&merged->link);
	list_init(&merged->waiting);
	list_init(&merged->by_age);
	list_init(&merged->family_list);
	map_init(&merged->series);
	map_init(&merged->families);
	return merged;
}

void merged_destroy(struct merged *merged)
{
	LIST_EACH (link, &merged->by_age) {
		free(LIST_ENTRY(link, struct merged_series, link));
	}
	LIST_EACH (link, &merged->family_list) {
		free(LIST_ENTRY(link, struct merged_family, link));
	}
	map_finish(&merged->series);
	map_finish(&merged->families);
	free(merged->instance);
	free(merged);
}

/* ---- Series ---- */

static struct merged_series *find_series(const struct merged *merged, uint64_t hash)
{
	struct map_node *node = map_first(&merged->series, hash);
	return node == NULL ? NULL : MAP_ENTRY(node, struct merged_series, node);
}

static struct merged_series *enter_series(struct merged *merged, uint64_t hash)
{
	struct merged_series *series = find_series(merged, hash);
	if (series == NULL) {
		series = memory_zalloc(1, sizeof(*series));
		list_init(&series->link);
		map_insert(&merged->series, &series->node, hash);
	}
	return series;
}

static uint64_t age_of(struct list *link)
{
	return LIST_ENTRY(link, struct merged_series, link)->seen_ns;
}

void merged_see(struct merged *merged, const struct merge_series *all, size_t count)
{
	struct list *head = &merged->by_age;
	struct list *last = head->prev;
	/* Each is put behind the one before it, so the list is gone through once at most. */
	bool is_newest = count > 0 && (last == head || age_of(last) <= all[0].seen_ns);
	struct list *after = is_newest ? last : head;
	for (size_t i = 0; i < count; i++) {
		struct merged_series *series = enter_series(merged, all[i].hash);
		if (all[i].seen_ns < series->seen_ns) {
			continue;
		}
		after = after == &series->link ? after->prev : after;
		list_remove(&series->link);
		while (after->next != head && age_of(after->next) <= all[i].seen_ns) {
			after = after->next;
		}
		list_append(after->next, &series->link);
		series->seen_ns = all[i].seen_ns;
		after = &series->link;
	}
}

uint64_t merged_seen_ns(const struct merged *merged, uint64_t hash)
{
	const struct merged_series *series = find_series(merged, hash);
	return series == NULL ? 0 : series->seen_ns;
}

void merged_forget(struct merged *merged, uint64_t until_ns, size_t most)
{
	LIST_EACH (link, &merged->by_age) {
		struct merged_series *series = LIST_ENTRY(link, struct merged_series, link);
		if (series->seen_ns > until_ns || most-- == 0) {
			return;
		}
		list_remove(&series->link);
		map_remove(&merged->series, &series->node);
		free(series);
	}
}

uint64_t merged_oldest_ns(const struct merged *merged)
{
	struct list *first = list_first(&merged->by_age);
	return first == NULL ? UINT64_MAX : age_of(first);
}

/* ---- Families ---- */

static struct merged_family *find_family(const struct merged *merged, uint64_t hash)
{
	struct map_node *node = map_first(&merged->families, hash);
	return node == NULL ? NULL : MAP_ENTRY(node, struct merged_family, node);
}

int64_t merged_posted_ns(const struct merged *merged, uint64_t hash)
{
	const struct merged_family *family = find_family(merged, hash);
	return family == NULL ? 0 : family->posted_ns;
}

void merged_set_posted(struct merged *merged, uint64_t hash, int64_t posted_ns)
{
	struct merged_family *family = find_family(merged, hash);
	if (family == NULL) {
		family = memory_zalloc(1, sizeof(*family));
		list_append(&merged->family_list, &family->link);
		map_insert(&merged->families, &family->node, hash);
	}
	family->posted_ns = posted_ns;
}
