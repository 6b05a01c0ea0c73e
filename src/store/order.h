#pragma once

/*
 * Which of several that contradict each other comes first: the one that has
 * been there longer, then the one of the smaller grouping key, then that of the
 * smaller name. This depends on nothing but what there is, so all weirs that
 * have the same show the same, in whatever order it came to them.
 */

#include "store/group.h"

/* Of blocks of one family, or of groups: below 0 when the first comes first. */
static inline int order_compare(
		int64_t since_a, const struct group *a, int64_t since_b, const struct group *b)
{
	if (since_a != since_b) {
		return since_a < since_b ? -1 : 1;
	}
	return a == b ? 0 : group_key_compare(&a->key, &b->key);
}
