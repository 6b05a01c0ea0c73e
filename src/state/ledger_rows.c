#include "state/ledger_rows.h"

enum { PIECE_BYTES = 16 * 1024 * 1024 /* a group that is larger has several rows */ };

void ledger_forget_bytes(struct ledger *ledger, struct ledger_entry *entry)
{
	ledger->live_bytes -= entry->whole_bytes + entry->push_bytes;
	entry->whole_bytes = 0;
	entry->push_bytes = 0;
}

struct change_set *ledger_open_set(struct ledger *ledger)
{
	if (ledger->open == NULL) {
		ledger->open = change_set_create();
		ledger->set_number++;
	}
	return ledger->open;
}

static struct change *add_change(struct ledger *ledger, struct change_set *set,
		struct ledger_entry *entry, enum change_kind kind, size_t family_count)
{
	const struct group *group = entry->group;
	struct change *change = change_set_add(set, kind, &group->key.labels, family_count);
	change->number = ledger->next_number++;
	change->entry = entry;
	change->grp = entry->grp;
	change->source.place = group->slot;
	change->source.times = group->times;
	change->source.since_ns = group->since_ns;
	change->source.expires_ns = record_expiry(group->deadline_ns, ledger->ahead_ns);
	change->source.is_shadowed = group->is_shadowed;
	entry->refs++;
	return change;
}

/* What was gathered of the group in the same set is of no use any more. */
void ledger_drop_changes(struct ledger *ledger, struct ledger_entry *entry)
{
	if (ledger->open == NULL || entry->last_set != ledger->set_number) {
		return;
	}
	for (struct change *change = entry->last; change != NULL; change = change->older) {
		ledger->position -= change->bytes;
		change_drop(ledger->open, change, ledger->store);
		entry->refs--;
	}
	entry->last = NULL;
}

static void link_change(struct ledger *ledger, struct ledger_entry *entry, struct change *change)
{
	change->older = entry->last_set == ledger->set_number ? entry->last : NULL;
	entry->last = change;
	entry->last_set = ledger->set_number;
}

static void set_base(struct ledger *ledger, struct ledger_entry *entry, struct change *change)
{
	ledger_forget_bytes(ledger, entry);
	entry->first_set = entry->is_based ? entry->first_set : ledger->set_number;
	entry->base = change->number;
	entry->position = ledger->position;
	entry->is_based = true;
	list_remove(&entry->in_order);
	list_append(&ledger->entries, &entry->in_order);
}

/* The last one of the group, when all of it is added. */
static void close_change(struct ledger *ledger, struct ledger_entry *entry, struct change *change)
{
	uint64_t *bytes = change->kind == CHANGE_WHOLE ? &entry->whole_bytes : &entry->push_bytes;
	*bytes += change->bytes;
	ledger->live_bytes += change->bytes;
	ledger->position += change->bytes;
}

void ledger_add_whole(struct ledger *ledger, struct change_set *set, struct ledger_entry *entry)
{
	const struct group *group = entry->group;
	struct change *change = add_change(ledger, set, entry, CHANGE_WHOLE, group->member_count);
	set_base(ledger, entry, change);
	link_change(ledger, entry, change);
	for (uint32_t i = 0; i < group->member_count; i++) {
		if (change->bytes >= PIECE_BYTES) {
			close_change(ledger, entry, change);
			change = add_change(ledger, set, entry, CHANGE_PUSH, group->member_count - i);
			link_change(ledger, entry, change);
		}
		change_add_family(set, change, ledger->store, &group->members[i]);
	}
	close_change(ledger, entry, change);
}

static const struct member *member_of(
		const struct group *group, struct pack *pack, const struct pack_entry *part)
{
	return group->layout_pack == pack ? &group->members[part->member]
									  : group_find_member_by_id(group, part->family_id);
}

/* Pack NULL: the group's times alone. */
void ledger_add_push(struct ledger *ledger, struct ledger_entry *entry, struct pack *pack)
{
	struct change_set *set = ledger_open_set(ledger);
	uint32_t count = pack == NULL ? 0 : pack->entry_count;
	struct change *change = add_change(ledger, set, entry, CHANGE_PUSH, count);
	link_change(ledger, entry, change);
	for (uint32_t i = 0; i < count; i++) {
		const struct member *member = member_of(entry->group, pack, &pack_entries(pack)[i]);
		change_add_family(set, change, ledger->store, member);
	}
	close_change(ledger, entry, change);
}

void ledger_add_gone(struct ledger *ledger, struct change_set *set, struct ledger_entry *entry,
		const struct labels *key)
{
	struct change *change = change_set_add(set, CHANGE_GONE, key, 0);
	change->number = ledger->next_number++;
	change->entry = entry;
	change->grp = entry->grp;
	entry->refs++;
	ledger->position += change->bytes;
}

void ledger_add_wipe(struct ledger *ledger, struct change_set *set)
{
	static const struct labels nothing;
	struct change *change = change_set_add(set, CHANGE_WIPE, &nothing, 0);
	change->number = ledger->next_number++;
	ledger->position += change->bytes;
}
