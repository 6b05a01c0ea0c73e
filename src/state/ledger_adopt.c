#include <stdlib.h>

#include "base/memory.h"
#include "state/ledger_rows.h"

void ledger_adopt(
		struct ledger *ledger, struct group *group, uint64_t grp, uint64_t base, uint64_t bytes)
{
	struct ledger_entry *entry = ledger_add_entry(ledger, group);
	ledger->next_grp--;
	entry->grp = grp;
	entry->base = base;
	entry->is_based = true;
	entry->whole_bytes = bytes;
	ledger->live_bytes += bytes;
	list_remove(&entry->in_order);
	list_append(ledger->entries.next, &entry->in_order); /* in front */
}

void ledger_bury(struct ledger *ledger, const struct labels *key, uint64_t grp)
{
	struct ledger_entry *entry = memory_zalloc(1, sizeof(*entry));
	list_init(&entry->in_order);
	list_init(&entry->noted);
	entry->grp = grp;
	entry->contents_id = ledger->store->contents->id;
	entry->is_gone = true;
	list_append(&ledger->dead, &entry->in_order);
	ledger_note_gone(ledger, entry, key);
	ledger->is_behind = true;
}

static int compare_bases(const void *a, const void *b)
{
	const struct ledger_entry *left = *(struct ledger_entry *const *)a;
	const struct ledger_entry *right = *(struct ledger_entry *const *)b;
	return (left->base > right->base) - (left->base < right->base);
}

/* By their bases; they nearly are already. */
static void sort_entries(struct ledger *ledger)
{
	size_t count = 0;
	uint64_t last = 0;
	bool is_sorted = true;
	LIST_EACH (link, &ledger->entries) {
		uint64_t base = LIST_ENTRY(link, struct ledger_entry, in_order)->base;
		is_sorted &= base >= last;
		last = base;
		count++;
	}
	if (is_sorted) {
		return;
	}
	struct ledger_entry **sorted = memory_zalloc(count, sizeof(*sorted));
	count = 0;
	LIST_EACH (link, &ledger->entries) {
		sorted[count++] = LIST_ENTRY(link, struct ledger_entry, in_order);
	}
	qsort(sorted, count, sizeof(*sorted), compare_bases);
	for (size_t i = 0; i < count; i++) {
		list_remove(&sorted[i]->in_order);
		list_append(&ledger->entries, &sorted[i]->in_order);
	}
	free(sorted);
}

/* Where the dead rows are is not known: they count as spread evenly. */
void ledger_spread(struct ledger *ledger, uint64_t log_bytes)
{
	double spread =
			log_bytes <= ledger->live_bytes ? 1 : (double)log_bytes / (double)ledger->live_bytes;
	double position = 0;
	sort_entries(ledger);
	LIST_EACH (link, &ledger->entries) {
		struct ledger_entry *entry = LIST_ENTRY(link, struct ledger_entry, in_order);
		entry->position = (uint64_t)position;
		position += (double)entry->whole_bytes * spread;
	}
	ledger->position = log_bytes > (uint64_t)position ? log_bytes : (uint64_t)position;
}
