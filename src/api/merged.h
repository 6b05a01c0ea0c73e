#pragma once

/*
 * What is remembered of a group that deliveries are merged into: when each of its series was
 * delivered, and which families were posted last by a merge. All else is in the store.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "base/slice.h"

struct merge;

struct merge_series {
	uint64_t hash;
	uint64_t seen_ns; /* it was delivered then, or pushed otherwise */
};

struct merged {
	struct map_node node;
	struct list link;
	char *instance;
	size_t instance_len;
	struct merge *current;   /* NULL: nothing is going on */
	struct list waiting;     // merge_delivery::link
	struct map series;       // merged_series::node
	struct list by_age;      // merged_series::link, the oldest first
	struct map families;     // merged_family::node
	struct list family_list; // merged_family::link
	bool needs_look;         /* it has series that were not delivered since weir was started */
	uint64_t looked_ns;
};

struct merged *merged_create(struct slice instance);
void merged_destroy(struct merged *merged);

/* Monotonic times, ascending. Of a series that is remembered already, the later one counts. */
void merged_see(struct merged *merged, const struct merge_series *series, size_t count);

/* 0: it is not remembered. On any thread while nobody changes it. */
uint64_t merged_seen_ns(const struct merged *merged, uint64_t series);

/* Those that are not newer are forgotten, so many at most. */
void merged_forget(struct merged *merged, uint64_t until_ns, size_t most);

/* When the oldest was seen; UINT64_MAX: there is none. */
uint64_t merged_oldest_ns(const struct merged *merged);

/* The Unix time at which a merge posted that family last; 0: none did. */
int64_t merged_posted_ns(const struct merged *merged, uint64_t family);
void merged_set_posted(struct merged *merged, uint64_t family, int64_t posted_ns);

static inline struct slice merged_instance(const struct merged *merged)
{
	return slice_make(merged->instance, merged->instance_len);
}
