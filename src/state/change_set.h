#pragma once

/*
 * What is to be stored together: changes, each of which becomes one row.
 *
 * A set is gathered on the loop and written on another thread while the store
 * goes on. It copies names and keys, and holds on to the packs that its blocks
 * lie in, so that they stay in place whatever replaces them; the references are
 * counted on the loop alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "state/record.h"
#include "store/store.h"

struct ledger_entry;

/* As the rows have it. */
enum change_kind {
	CHANGE_WHOLE = 1, /* all of the group */
	CHANGE_PUSH = 2,  /* families that replace those of their names, and the group's times */
	CHANGE_GONE = 3,  /* the group was deleted, or its time was over */
	CHANGE_WIPE = 4,  /* nothing before it counts any more */
};

struct change {
	struct list link;           /* in its set, in the order of the numbers */
	struct change *older;       /* the one before it of the same group in this set, or NULL */
	struct ledger_entry *entry; /* of the group; NULL for a wipe */
	enum change_kind kind;
	uint64_t number; /* of the row */
	uint64_t grp;    /* the group's number; 0 for a wipe */
	size_t bytes;    /* that the row takes, about */
	struct record_source source;
	struct pack **packs; /* held on to; one may be there several times */
	size_t pack_count;
	size_t pack_capacity;
	uint64_t contents_id; /* that the packs' bytes are counted in */
};

struct change_set {
	struct list link;    /* whoever has it queues it by this */
	struct list changes; // change::link
	struct arena arena;
	size_t count;
	size_t bytes;
	uint64_t version; /* of the store: with this set, all changes up to there are stored */
	uint64_t floor;   /* rows with lower numbers are of no use once this set is stored */
};

struct change_set *change_set_create(void);

/* Lets go of all that its changes hold. Their entries are the caller's business. */
void change_set_destroy(struct change_set *set, struct store *store);

/*
 * A change without families, with room for so many; more may not be added. It
 * is the last one in the set. Times, places and numbers are the caller's to set.
 */
struct change *change_set_add(struct change_set *set, enum change_kind kind,
		const struct labels *key, size_t family_count);

/* What a group of that store has in one family. */
void change_add_family(struct change_set *set, struct change *change, const struct store *store,
		const struct member *member);

/* Takes it out of the set: what it says is said by a later one. */
void change_drop(struct change_set *set, struct change *change, struct store *store);
