#pragma once

/*
 * Contents: all that is stored, with the steps by which it changes. A wipe
 * replaces the whole of it, so that wiping costs the same whatever there is.
 *
 * The steps here keep the counts right and leave to the history what running
 * scrapes need; whether a change is allowed is decided in check.h, and what a
 * push consists of in push.h.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "base/tree.h"
#include "store/family.h"
#include "store/group.h"
#include "store/history.h"
#include "store/slots.h"

RB_HEAD(deadline_tree, group);

/* A block that is not exposed. */
struct shadowed_block {
	RB_ENTRY(shadowed_block) by_order; /* as order.h has it */
	struct family *family;
	struct group *group;
	uint32_t slot;
	int64_t since_ns; /* the block's */
};

RB_HEAD(shadowed_tree, shadowed_block);

struct contents {
	struct list link;         /* among those that were wiped */
	uint64_t id;              /* never used twice */
	struct map groups;        /* group::node */
	struct slots group_slots; /* content: struct group */
	struct deadline_tree deadlines;
	struct families families;
	struct map shapes;
	struct map jobs; /* job_count::node */
	struct history history;
	struct shadowed_tree shadowed;
	bool is_slicing; /* a large push is being checked: nothing may be exposed or shadowed */
	struct shadowed_block *shadow_cursor; /* the next one to be looked at; NULL: none */
	uint64_t shadowed_blocks;
	uint64_t shadowed_groups;
	uint64_t group_count;
	bool has_quoted_groups; /* or had some: with label names that need quotes */
	uint64_t series;        /* lines of all blocks, shadowed ones included */
	uint64_t blocks;
	uint64_t bytes; /* of all packs and metadata, those in the history included, and of groups */
};

struct contents *contents_create(uint64_t id);

/*
 * Frees a part, up to about `budget` groups or blocks. True when all is gone
 * and the contents with it. No snapshot may be open.
 */
bool contents_destroy_some(struct contents *contents, size_t budget);

/* The group of exactly that key, or NULL. */
struct group *contents_find_group(const struct contents *contents, const struct group_key *key);

/* Another group whose key normalises to the same, or NULL. */
struct group *contents_find_twin(const struct contents *contents, const struct group_key *key);

/* A new one, which is there since that time, in that slot, as slots_take_at() has it. */
struct group *contents_add_group(struct contents *contents, const struct group_key *key,
		uint32_t place, int64_t since_ns, uint64_t version);

/* It was there since another time. */
void contents_set_since(
		struct contents *contents, struct group *group, int64_t since_ns, uint64_t version);

/* Up to so many of the group's blocks, the last first. */
void contents_remove_members(
		struct contents *contents, struct group *group, uint32_t count, uint64_t version);

/* With all its blocks. */
void contents_remove_group(struct contents *contents, struct group *group, uint64_t version);

void contents_set_times(
		struct contents *contents, struct group *group, struct group_times times, uint64_t version);

/* 0: never. */
void contents_set_deadline(struct contents *contents, struct group *group, int64_t deadline_ns);

/* The group to expire first; NULL when none ever will. */
struct group *contents_first_deadline(struct contents *contents);

/*
 * Puts the block into a slot of the family, which may hold an older block of
 * the same group; that one is released. The block's metadata and since when the
 * group has the family are entered.
 */
void contents_set_block(struct contents *contents, struct group *group, struct family *family,
		uint32_t slot, struct block *block, bool is_shadowed, uint64_t version);

/*
 * Exchanges a slot's block for one of the same series with other values: all
 * counts stay as they are. The old block is released.
 */
void contents_exchange_block(struct contents *contents, struct family *family, uint32_t slot,
		struct block *block, uint64_t version);

/* Empties the slot and gives its number back. */
void contents_remove_block(struct contents *contents, struct group *group, struct family *family,
		uint32_t slot, uint64_t version);

/* An unused family goes, at once or when no scrape can meet it any more. */
void contents_drop_unused_family(
		struct contents *contents, struct family *family, uint64_t version);

/* Lets go what no scrape needs, up to `budget` entries; true when more is left. */
bool contents_tidy(struct contents *contents, size_t budget);
