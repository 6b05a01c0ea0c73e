#include "api/targets_sort.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"

enum kind { IS_NUMBER, IS_TEXT, IS_NOTHING };

struct targets_sort_entry {
	struct target_id id;
	enum kind kind;
	double number;
	struct slice text;
	size_t place; /* in the order in which they were added */
};

void targets_sort_init(struct targets_sort *sort)
{
	*sort = (struct targets_sort){ 0 };
	arena_init(&sort->texts);
}

void targets_sort_finish(struct targets_sort *sort)
{
	free(sort->entries);
	arena_finish(&sort->texts);
	sort->entries = NULL;
}

/* ---- What they are ordered by ---- */

static struct slice find_value(const struct targets_sort *sort, const struct target *target)
{
	struct slice value = target_label(target, sort->order.name);
	return value.len > 0 ? value : labels_find(&target->config.attributes, sort->order.name);
}

/* NaN is a text: it comes before no number and behind none. */
static void set_value(
		struct targets_sort *sort, struct targets_sort_entry *entry, struct slice escaped)
{
	struct slice first = slice_first(
			escaped, escaped.len < TARGETS_SORT_TEXT_BYTES ? escaped.len : TARGETS_SORT_TEXT_BYTES);
	if (escaped.len == 0) {
		return;
	}
	if (number_is_float(escaped)) {
		entry->number = number_value(escaped);
	}
	if (number_is_float(escaped) && !isnan(entry->number)) {
		entry->kind = IS_NUMBER;
	} else {
		entry->kind = IS_TEXT;
		entry->number = 0;
		entry->text = arena_copy(&sort->texts, first);
	}
}

void targets_sort_add(struct targets_sort *sort, const struct target *target)
{
	if (sort->count == sort->capacity) {
		sort->capacity = sort->capacity == 0 ? 64 : sort->capacity * 2;
		sort->entries = memory_resize(sort->entries, sort->capacity * sizeof(*sort->entries));
	}
	struct targets_sort_entry *entry = &sort->entries[sort->count];
	*entry = (struct targets_sort_entry){
		.id = target->id,
		.kind = IS_NOTHING,
		.place = sort->count++,
	};
	set_value(sort, entry, find_value(sort, target));
}

/* ---- Sorting ---- */

/* By their values alone, in this direction. */
static int compare_values(const struct targets_sort_entry *a, const struct targets_sort_entry *b)
{
	switch (a->kind) {
	case IS_NUMBER:
		return (a->number > b->number) - (a->number < b->number);
	case IS_TEXT:
		return slice_compare(a->text, b->text);
	case IS_NOTHING:
		break;
	}
	return 0;
}

static int compare(const struct targets_sort_entry *a, const struct targets_sort_entry *b, int sign)
{
	if (a->kind != b->kind) {
		return a->kind < b->kind ? -1 : 1;
	}
	int by_value = compare_values(a, b) * sign;
	return by_value != 0 ? by_value : a->place < b->place ? -1 : 1;
}

static int compare_ascending(const void *a, const void *b)
{
	return compare(a, b, 1);
}

static int compare_descending(const void *a, const void *b)
{
	return compare(a, b, -1);
}

/* The rest of the memory is of use to others while somebody reads slowly. */
static void keep(struct targets_sort *sort, size_t offset, size_t limit)
{
	size_t left = sort->count > offset ? sort->count - offset : 0;
	size_t count = left < limit ? left : limit;
	if (count > 0) {
		memmove(sort->entries, sort->entries + offset, count * sizeof(*sort->entries));
		sort->entries = memory_resize(sort->entries, count * sizeof(*sort->entries));
	}
	sort->count = count;
	sort->capacity = count;
	arena_finish(&sort->texts);
	arena_init(&sort->texts);
}

void targets_sort_run(struct targets_sort *sort, size_t offset, size_t limit)
{
	if (sort->count > 0) {
		qsort(sort->entries, sort->count, sizeof(*sort->entries),
				sort->order.is_descending ? compare_descending : compare_ascending);
	}
	keep(sort, offset, limit);
}

const struct target_id *targets_sort_id(const struct targets_sort *sort, size_t number)
{
	return &sort->entries[number].id;
}
