#pragma once

/*
 * Targets in the order of a label or an attribute. Those whose value is a number come first, by
 * number; then those with another text, by its bytes; then those without. Of equal ones
 * those that came to be known first come first, whatever the direction.
 *
 * Targets are added some at a time; what is in order then are their ids, since
 * they may come and go meanwhile. Sorting takes as long as it takes: on another thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "targets/target.h"

struct targets_order {
	struct slice name; /* of the label or attribute, escaped; ptr NULL: none, as they are known */
	bool is_descending;
};

struct targets_sort_entry;

struct targets_sort {
	struct targets_order order;
	struct targets_sort_entry *entries;
	size_t count;
	size_t capacity;
	struct arena texts;
};

/* How much of a text counts. */
enum { TARGETS_SORT_TEXT_BYTES = 128 };

/* The order is the caller's to set. */
void targets_sort_init(struct targets_sort *sort);
void targets_sort_finish(struct targets_sort *sort);

void targets_sort_add(struct targets_sort *sort, const struct target *target);

/* On any thread. What is beyond that part is let go. */
void targets_sort_run(struct targets_sort *sort, size_t offset, size_t limit);

/* Of what was kept, by number from 0 on. */
const struct target_id *targets_sort_id(const struct targets_sort *sort, size_t number);
