#pragma once

/*
 * The ledger: which rows of a log of changes are what is stored of each group.
 *
 *      floor                                                  next number
 *        v                                                        v
 *     [A whole] [B whole] [A push] [C whole] [B whole] [A push]
 *        |         dead                                 '-- the end of what is A
 *        '-- A's base
 *
 * A group begins with the row that has all of it, its base; rows before that one
 * are dead, those after it are pushes to it. Rows are only ever added at the
 * end. A group whose pushes have grown larger than itself is written as a whole
 * again. When more than half of the log is dead, the groups with the oldest bases
 * are, until enough of the front is dead; rows below the lowest base, the floor,
 * can be deleted. So what is written and kept is in proportion to what is pushed and
 * stored.
 *
 * Changes of the store are gathered in a set until somebody takes it. Of a group
 * that is pushed several times meanwhile, only what counts in the end is in it. What
 * could not be stored is not kept as it was: its groups are noted, and the next
 * sets have them as they are by then. So what waits is bounded by what is stored,
 * however long it waits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "state/change_set.h"
#include "store/store.h"

struct ledger_entry {
	struct list in_order;    /* in one of the ledger's lists */
	struct list noted;       /* to be written as it is; else unlinked */
	struct group *group;     /* as long as it is not gone */
	struct labels *gone_key; /* of a group that is gone and noted; owned */
	uint64_t grp;
	uint64_t base;
	uint64_t position;    /* bytes of all rows before the base */
	uint64_t whole_bytes; /* of the base */
	uint64_t push_bytes;  /* of what is behind it */
	uint64_t contents_id; /* that the group is of */
	struct change *last;  /* in the set of that number */
	uint64_t last_set;
	uint64_t first_set; /* that had a row of it; 0: not known */
	uint32_t refs;      /* changes that refer to it */
	bool is_gone;
	bool is_based; /* there is a base */
};

struct ledger {
	struct store *store;
	struct store_listener listener;
	void (*on_change)(void *data); /* there is something to take */
	void *data;
	struct list entries;     // ledger_entry::in_order, by base
	struct list unbased;     // ledger_entry::in_order, of groups that have no base yet
	struct list dead;        // ledger_entry::in_order, to be freed
	struct list noted;       // ledger_entry::noted
	struct change_set *open; /* being gathered; NULL: nothing was changed */
	uint64_t set_number;     /* of that set */
	bool is_behind;          /* changes are noted; none is gathered */
	bool is_wipe_noted;      /* everything before what is noted is gone */
	uint64_t next_number;
	uint64_t next_grp;
	uint64_t position;   /* bytes of all rows so far */
	uint64_t live_bytes; /* of those that count */
	uint64_t floor;      /* of the last set that is stored */
	int64_t ahead_ns;    /* of the clock that deadlines are stored by; to the monotonic clock */
};

/*
 * Nothing is stored yet. The store is empty or about to be filled; changes count
 * from ledger_begin() on.
 */
void ledger_init(
		struct ledger *ledger, struct store *store, void (*on_change)(void *data), void *data);
void ledger_finish(struct ledger *ledger);

/*
 * A group that is in the store as the rows from base on have it. Best adopted in
 * falling order of their bases.
 */
void ledger_adopt(
		struct ledger *ledger, struct group *group, uint64_t grp, uint64_t base, uint64_t bytes);

/* A group that the log still has, though another one of that key came after it. */
void ledger_bury(struct ledger *ledger, const struct labels *key, uint64_t grp);

/* They are of a log of so many bytes, dead rows included. */
void ledger_spread(struct ledger *ledger, uint64_t log_bytes);

/* Everything is adopted that is to be: changes are gathered from now on. */
void ledger_begin(struct ledger *ledger);

/* Every group of the store is to be written; if asked for, behind a wipe of what the log has. */
void ledger_note_all(struct ledger *ledger, bool is_wiped);

/* Changes that nobody has taken yet. */
bool ledger_has_changes(const struct ledger *ledger);

/*
 * What is to be stored next; NULL: nothing, or nothing on this turn of the loop. A set belongs to
 * the taker until it is given back by one of the two functions below it; sets are stored in the
 * order in which they are taken. The version is that of the store, or 0 when more is to follow.
 */
struct change_set *ledger_take(struct ledger *ledger);

/* It is stored. */
void ledger_settle(struct ledger *ledger, struct change_set *set);

/* It is not; what is in it will be in the next ones. No other set may be out. */
void ledger_take_back(struct ledger *ledger, struct change_set *set);

/* Frees a slice of what nobody needs any more; true when more can be freed now. */
bool ledger_tidy(struct ledger *ledger);
