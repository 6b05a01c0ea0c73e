#pragma once

/*
 * What running scrapes still need of the past.
 *
 * A scrape reads one version of the store. Whoever changes a place that a
 * running scrape has yet to read leaves the old content here; when the last
 * scrape that could ask for it has ended, it is let go. Without a running
 * scrape nothing is kept.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"

enum history_kind {
	HISTORY_BLOCK,  /* content: a slot's block; the place is the slot */
	HISTORY_GROUP,  /* content: a group that is gone; the place is its slot */
	HISTORY_TIMES,  /* content: a copy of a group's push times; the place is the group */
	HISTORY_FAMILY, /* content: a family that became empty and is still linked */
};

struct history_entry {
	struct map_node node;
	struct list link;
	const void *place;
	void *content;
	uint64_t born; /* the first version that had this content */
	uint64_t died; /* the first that had not */
	enum history_kind kind;
	bool is_owned; /* the content is let go with the entry */
};

struct history {
	struct map by_place;
	struct list oldest_first;
};

void history_init(struct history *history);
void history_finish(struct history *history);

void history_keep(struct history *history, const struct history_entry *entry);

/* What was in the place at that version; NULL when nothing was kept. */
void *history_find(
		const struct history *history, enum history_kind kind, const void *place, uint64_t version);

/*
 * Takes the oldest entry out if nobody reads a version before it died any
 * more; the caller frees it. NULL when there is none. Pass UINT64_MAX when
 * nobody reads at all.
 */
struct history_entry *history_take_unneeded(struct history *history, uint64_t oldest_reader);
