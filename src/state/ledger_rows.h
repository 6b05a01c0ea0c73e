#pragma once

/*
 * How the ledger makes rows of what it knows, and keeps count of them. For the
 * ledger's own files.
 */

#include "state/ledger.h"

/* Of a group that has none, with a number of its own. */
struct ledger_entry *ledger_add_entry(struct ledger *ledger, struct group *group);

/* The set that changes are gathered in; made if need be. */
struct change_set *ledger_open_set(struct ledger *ledger);

/* All of the group, as it is, in one row or several; the first is its base. */
void ledger_add_whole(struct ledger *ledger, struct change_set *set, struct ledger_entry *entry);

/* What the push brought, into the open set. Pack NULL: the group's times alone. */
void ledger_add_push(struct ledger *ledger, struct ledger_entry *entry, struct pack *pack);

/* The group of that key is gone. */
void ledger_add_gone(struct ledger *ledger, struct change_set *set, struct ledger_entry *entry,
		const struct labels *key);

/* All before it is gone. */
void ledger_add_wipe(struct ledger *ledger, struct change_set *set);

/* What was gathered of the group in the open set is of no use any more. */
void ledger_drop_changes(struct ledger *ledger, struct ledger_entry *entry);

/* Its rows do not count any more. */
void ledger_forget_bytes(struct ledger *ledger, struct ledger_entry *entry);

/* Of an entry that is gone: that is to be written. */
void ledger_note_gone(
		struct ledger *ledger, struct ledger_entry *entry, const struct labels *labels);
