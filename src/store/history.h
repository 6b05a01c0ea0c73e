#pragma once

/*
 * What running scrapes still need of the past.
 *
 * A scrape reads one version of the store: a snapshot. Whoever changes a place
 * that a snapshot has yet to be read from leaves the old content here, with
 * the newest snapshot that needs it. When that one is closed, the content goes
 * to the next older one that needs it, or is let go; so a slow scrape keeps
 * what it needs itself and nothing that later ones needed. Without a snapshot
 * nothing is kept.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"

struct contents;
struct history_slab;

/* A running scrape: it sees the version it was opened at. */
struct snapshot {
	struct list link;
	struct list kept; // history_entry::link
	struct contents *contents;
	uint64_t version;
};

enum history_kind {
	HISTORY_BLOCK,  /* a slot's block, with its tag; the place is the slot */
	HISTORY_GROUP,  /* a slot's group, with its tag; the place is the slot */
	HISTORY_TIMES,  /* a copy of a group's push times; the place is the group */
	HISTORY_FAMILY, /* a family that became empty: a scrape may stand on it */
};

struct history_entry {
	struct map_node node;
	struct list link;
	const void *place;
	void *content;
	void *owner;   /* the family or group that it is of */
	uint64_t born; /* the first version that had this content */
	uint64_t died; /* the first that had not */
	enum history_kind kind;
	bool is_released; /* a block that is gone; else it was held, and is only let go */
};

struct history {
	struct map by_place;
	struct list snapshots;        // snapshot::link, oldest first
	struct list loose;            // history_entry::link, of snapshots that were closed
	struct history_entry *spares; /* linked by their content */
	struct history_slab *slabs;
	size_t used;
};

void history_init(struct history *history);
void history_finish(struct history *history);

void history_open(struct history *history, struct snapshot *snapshot);

/* What it kept is looked through later, by history_take_unneeded(). */
void history_close(struct history *history, struct snapshot *snapshot);

/* Whether a snapshot reads a version from `born` on. */
bool history_is_needed(const struct history *history, uint64_t born);

/* To be called only when it is needed. */
void history_keep(struct history *history, const struct history_entry *entry);

/* What was in the place at that version; NULL when nothing was kept. */
void *history_find(
		const struct history *history, enum history_kind kind, const void *place, uint64_t version);

/*
 * Gives an entry back that was taken. Entries are allocated many at a time,
 * since they come and go by the hundred between blocks that stay.
 */
void history_free(struct history *history, struct history_entry *entry);

/*
 * Goes through what closed snapshots kept. An entry that no other snapshot
 * needs is taken out; history_free() is due. NULL when nothing is left to go
 * through, or `*budget` is used up.
 */
struct history_entry *history_take_unneeded(struct history *history, size_t *budget);
