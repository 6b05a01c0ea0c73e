#include "state/ledger.h"

#include <stdlib.h>

#include "base/memory.h"
#include "state/ledger_rows.h"

enum {
	FOLD_BYTES = 1024,            /* pushes to a group may always have so many */
	DEAD_BYTES = 1024 * 1024,     /* and so many rows may always be dead */
	CLEAN_BYTES = 64 * 1024,      /* rewritten with one set at least */
	CLEAN_FACTOR = 4,             /* times what is in the set */
	TAKE_BYTES = 4 * 1024 * 1024, /* of what is noted, in one set */
	TAKE_COUNT = 4096,            /* likewise */
	TIDY_COUNT = 4096,
	WORN_BYTES = 8 * 1024 * 1024, /* a set has so much memory, and so many times more */
	WORN_FACTOR = 4,              /* than what counts in it: it is given up */
};

/* ---- Entries ---- */

struct ledger_entry *ledger_add_entry(struct ledger *ledger, struct group *group)
{
	struct ledger_entry *entry = memory_zalloc(1, sizeof(*entry));
	list_init(&entry->in_order);
	list_init(&entry->noted);
	entry->group = group;
	entry->grp = ledger->next_grp++;
	entry->contents_id = ledger->store->contents->id;
	list_append(&ledger->unbased, &entry->in_order);
	group->keeper = entry;
	return entry;
}

static struct ledger_entry *entry_of(struct ledger *ledger, struct group *group)
{
	return group->keeper != NULL ? group->keeper : ledger_add_entry(ledger, group);
}

static void free_entry(struct ledger_entry *entry)
{
	list_remove(&entry->in_order);
	list_remove(&entry->noted);
	free(entry->gone_key);
	free(entry);
}

/* Groups of contents that were wiped are not told of one by one. */
static bool is_gone(const struct ledger *ledger, const struct ledger_entry *entry)
{
	return entry->is_gone || entry->contents_id != ledger->store->contents->id;
}

static bool is_noted(const struct ledger_entry *entry)
{
	return !list_is_empty(&entry->noted);
}

static bool free_if_unused(const struct ledger *ledger, struct ledger_entry *entry)
{
	bool is_unused = is_gone(ledger, entry) && entry->refs == 0 && !is_noted(entry);
	if (is_unused) {
		free_entry(entry);
	}
	return is_unused;
}

/* ---- Gathering ---- */

/* All that the group has came with that push, or nearly. */
static bool is_whole(const struct ledger_entry *entry, const struct store_change *change)
{
	const struct pack *pack = change->pack;
	if (!entry->is_based || change->kind == STORE_CHANGE_PUT) {
		return true;
	}
	uint64_t bytes = pack == NULL ? 0 : pack->bytes;
	return (pack != NULL && pack->entry_count == entry->group->member_count)
			|| entry->push_bytes + bytes > entry->whole_bytes + FOLD_BYTES;
}

static void gather_push(struct ledger *ledger, const struct store_change *change)
{
	struct ledger_entry *entry = entry_of(ledger, change->group);
	/* It failed while another push was being applied, which is to be seen in full or not at all. */
	bool is_amid = change->kind == STORE_CHANGE_FAILURE && entry->group->is_busy;
	if (is_amid && !entry->is_based) {
		return;
	}
	if (!is_amid && is_whole(entry, change)) {
		ledger_drop_changes(ledger, entry);
		ledger_add_whole(ledger, ledger_open_set(ledger), entry);
	} else {
		ledger_add_push(ledger, entry, change->pack);
	}
}

static void leave(struct ledger *ledger, struct ledger_entry *entry)
{
	ledger_forget_bytes(ledger, entry);
	list_remove(&entry->in_order);
	list_append(&ledger->dead, &entry->in_order);
	entry->is_gone = true;
	entry->group = NULL;
}

/* No row of it was ever given away. */
static bool is_unwritten(const struct ledger *ledger, const struct ledger_entry *entry)
{
	bool is_open = ledger->open != NULL && entry->first_set == ledger->set_number;
	return !entry->is_based || is_open;
}

static void gather_gone(struct ledger *ledger, const struct group *group)
{
	struct ledger_entry *entry = group->keeper;
	if (entry == NULL) {
		return; /* never stored */
	}
	bool is_told = !is_unwritten(ledger, entry);
	ledger_drop_changes(ledger, entry);
	if (is_told) {
		ledger_add_gone(ledger, ledger_open_set(ledger), entry, &group->key.labels);
	}
	leave(ledger, entry);
}

/* What is open is given up: whatever it has is wiped. */
static void discard_open(struct ledger *ledger)
{
	if (ledger->open == NULL) {
		return;
	}
	LIST_EACH (link, &ledger->open->changes) {
		struct change *change = LIST_ENTRY(link, struct change, link);
		if (change->entry != NULL) {
			change->entry->refs--;
		}
	}
	change_set_destroy(ledger->open, ledger->store);
	ledger->open = NULL;
}

static void forget_all(struct ledger *ledger)
{
	list_append_all(&ledger->dead, &ledger->entries);
	list_append_all(&ledger->dead, &ledger->unbased);
	ledger->live_bytes = 0;
}

/* ---- Noting ---- */

static void note(struct ledger *ledger, struct ledger_entry *entry)
{
	if (!is_noted(entry)) {
		list_append(&ledger->noted, &entry->noted);
	}
}

void ledger_note_gone(
		struct ledger *ledger, struct ledger_entry *entry, const struct labels *labels)
{
	if (entry->gone_key == NULL) {
		entry->gone_key = memory_alloc(sizeof(*entry->gone_key) + labels_copy_bytes(labels));
		*entry->gone_key = labels_copy(labels, entry->gone_key + 1);
	}
	note(ledger, entry);
}

static void forget_noted(struct ledger *ledger)
{
	LIST_EACH (link, &ledger->noted) {
		list_remove(link);
	}
}

static void let_go_of_set(struct ledger *ledger, struct change_set *set)
{
	LIST_EACH (link, &set->changes) {
		struct ledger_entry *entry = LIST_ENTRY(link, struct change, link)->entry;
		if (entry != NULL) {
			entry->refs--;
			free_if_unused(ledger, entry);
		}
	}
	change_set_destroy(set, ledger->store);
}

static void note_set(struct ledger *ledger, const struct change_set *set)
{
	LIST_EACH (link, &set->changes) {
		const struct change *change = LIST_ENTRY(link, struct change, link);
		struct ledger_entry *entry = change->entry;
		if (entry == NULL) {
			ledger->is_wipe_noted = true;
		} else if (entry->is_gone) {
			ledger_note_gone(ledger, entry, &change->source.key);
		} else if (!is_gone(ledger, entry)) {
			note(ledger, entry);
		}
	}
}

/* What is gathered is not kept as it is. */
static void note_open(struct ledger *ledger)
{
	struct change_set *open = ledger->open;
	ledger->open = NULL;
	ledger->is_behind = true;
	if (open != NULL) {
		note_set(ledger, open);
		let_go_of_set(ledger, open);
	}
}

static void note_change(struct ledger *ledger, const struct store_change *change)
{
	struct group *group = change->group;
	switch (change->kind) {
	case STORE_CHANGE_PUT:
	case STORE_CHANGE_POST:
	case STORE_CHANGE_FAILURE:
		note(ledger, entry_of(ledger, group));
		return;
	case STORE_CHANGE_DELETE:
	case STORE_CHANGE_EXPIRE:
		if (group->keeper != NULL) {
			struct ledger_entry *entry = group->keeper;
			list_remove(&entry->noted);
			if (!is_unwritten(ledger, entry)) {
				ledger_note_gone(ledger, entry, &group->key.labels);
			}
			leave(ledger, entry);
		}
		return;
	case STORE_CHANGE_ABSENT:
		return; /* nothing is stored of it */
	case STORE_CHANGE_WIPE:
		break;
	}
	forget_noted(ledger);
	forget_all(ledger);
	ledger->is_wipe_noted = true;
}

static void gather_change(struct ledger *ledger, const struct store_change *change)
{
	switch (change->kind) {
	case STORE_CHANGE_PUT:
	case STORE_CHANGE_POST:
	case STORE_CHANGE_FAILURE:
		gather_push(ledger, change);
		return;
	case STORE_CHANGE_DELETE:
	case STORE_CHANGE_EXPIRE:
		gather_gone(ledger, change->group);
		return;
	case STORE_CHANGE_ABSENT:
		return; /* nothing is stored of it */
	case STORE_CHANGE_WIPE:
		break;
	}
	discard_open(ledger);
	forget_all(ledger);
	ledger_add_wipe(ledger, ledger_open_set(ledger));
}

/*
 * The copies of changes that were dropped stay with the set, and with a disk that takes
 * its time there may be any number of them.
 */
static bool is_worn(const struct change_set *set)
{
	return set != NULL && set->arena.used_bytes > WORN_BYTES
			&& set->arena.used_bytes / WORN_FACTOR > set->bytes;
}

static void on_change(struct store_listener *listener, const struct store_change *change)
{
	struct ledger *ledger = LIST_ENTRY(listener, struct ledger, listener);
	if (ledger->is_behind) {
		note_change(ledger, change);
	} else {
		gather_change(ledger, change);
		if (is_worn(ledger->open)) {
			note_open(ledger);
		}
	}
	ledger->on_change(ledger->data);
}

/* ---- Taking ---- */

static struct ledger_entry *first_entry(const struct ledger *ledger)
{
	struct list *first = list_first(&ledger->entries);
	return first == NULL ? NULL : LIST_ENTRY(first, struct ledger_entry, in_order);
}

static uint64_t find_floor(const struct ledger *ledger)
{
	const struct ledger_entry *first = first_entry(ledger);
	return first == NULL ? ledger->next_number : first->base;
}

static bool is_mostly_dead(const struct ledger *ledger, const struct ledger_entry *first)
{
	uint64_t most = 2 * ledger->live_bytes + DEAD_BYTES;
	return ledger->position > first->position + most;
}

/* Groups at the front move to the end, so that the front can go. */
static void clean(struct ledger *ledger, struct change_set *set)
{
	size_t most = set->bytes + CLEAN_FACTOR * set->bytes + CLEAN_BYTES;
	uint64_t end = ledger->next_number;
	struct ledger_entry *first = first_entry(ledger);
	while (first != NULL && first->base < end && set->bytes < most && is_mostly_dead(ledger, first)
			&& !first->group->is_busy) {
		ledger_add_whole(ledger, set, first);
		first = first_entry(ledger);
	}
}

static struct change_set *take_gathered(struct ledger *ledger)
{
	struct change_set *set = ledger->open;
	if (set == NULL) {
		return NULL;
	}
	clean(ledger, set);
	ledger->open = NULL;
	set->floor = find_floor(ledger);
	set->version = ledger->store->changed;
	return set;
}

/* While a change is being made in it, it stays noted. */
static void take_one(struct ledger *ledger, struct change_set *set, struct ledger_entry *entry)
{
	if (!entry->is_gone && entry->group->is_busy) {
		return;
	}
	if (entry->is_gone) {
		ledger_add_gone(ledger, set, entry, entry->gone_key);
	} else {
		ledger_add_whole(ledger, set, entry);
	}
	list_remove(&entry->noted);
}

static struct change_set *take_noted(struct ledger *ledger)
{
	struct change_set *set = change_set_create();
	ledger->set_number++;
	if (ledger->is_wipe_noted) {
		ledger_add_wipe(ledger, set);
		ledger->is_wipe_noted = false;
	}
	LIST_EACH (link, &ledger->noted) {
		if (set->bytes >= TAKE_BYTES || set->count >= TAKE_COUNT) {
			break;
		}
		take_one(ledger, set, LIST_ENTRY(link, struct ledger_entry, noted));
	}
	/* Until all is stored again, rows that will be dead may be all there is of a group. */
	ledger->is_behind = !list_is_empty(&ledger->noted);
	if (ledger->is_behind && set->count == 0) {
		change_set_destroy(set, ledger->store);
		return NULL;
	}
	set->floor = ledger->is_behind ? ledger->floor : find_floor(ledger);
	set->version = ledger->is_behind ? 0 : ledger->store->changed;
	return set;
}

bool ledger_has_changes(const struct ledger *ledger)
{
	return ledger->is_behind || ledger->open != NULL;
}

struct change_set *ledger_take(struct ledger *ledger)
{
	return ledger->is_behind ? take_noted(ledger) : take_gathered(ledger);
}

/* ---- What came of it ---- */

void ledger_settle(struct ledger *ledger, struct change_set *set)
{
	ledger->floor = set->floor;
	let_go_of_set(ledger, set);
}

void ledger_take_back(struct ledger *ledger, struct change_set *set)
{
	note_set(ledger, set);
	let_go_of_set(ledger, set);
	note_open(ledger);
}

/* ---- Life ---- */

void ledger_init(
		struct ledger *ledger, struct store *store, void (*on_news)(void *data), void *data)
{
	*ledger = (struct ledger){
		.store = store,
		.listener = { .on_change = on_change },
		.on_change = on_news,
		.data = data,
		.next_number = 1,
		.next_grp = 1,
	};
	list_init(&ledger->listener.link);
	list_init(&ledger->entries);
	list_init(&ledger->unbased);
	list_init(&ledger->dead);
	list_init(&ledger->noted);
}

void ledger_begin(struct ledger *ledger)
{
	ledger->floor = find_floor(ledger);
	store_subscribe(ledger->store, &ledger->listener);
}

void ledger_note_all(struct ledger *ledger, bool is_wiped)
{
	const struct slots *slots = &ledger->store->contents->group_slots;
	for (uint32_t i = 0; i < slots->len; i++) {
		struct group *group = slot_content(*slots_at(slots, i));
		if (group != NULL) {
			note(ledger, entry_of(ledger, group));
		}
	}
	ledger->is_wipe_noted |= is_wiped;
	ledger->is_behind = true;
}

bool ledger_tidy(struct ledger *ledger)
{
	size_t looked = 0;
	size_t freed = 0;
	LIST_EACH (link, &ledger->dead) {
		if (looked++ == TIDY_COUNT) {
			return freed > 0;
		}
		freed += free_if_unused(ledger, LIST_ENTRY(link, struct ledger_entry, in_order));
	}
	return false;
}

void ledger_finish(struct ledger *ledger)
{
	list_remove(&ledger->listener.link);
	discard_open(ledger);
	forget_all(ledger);
	LIST_EACH (link, &ledger->dead) {
		free_entry(LIST_ENTRY(link, struct ledger_entry, in_order));
	}
}
