#pragma once

/*
 * Lists of a group's members: sorted by family, so that one is found by
 * halving and two are merged in one go.
 */

#include "base/arena.h"
#include "store/group.h"

/*
 * Pages come with their families in the same order each time, so most lists
 * are sorted already; very long ones are sorted in linear time.
 */
void members_sort(struct member *members, size_t count, struct arena *arena);

/*
 * All of b, and of a what b has not; both sorted. `out` has room for both.
 * Returns how many there are.
 */
uint32_t members_merge(const struct member *a, uint32_t a_count, const struct member *b,
		uint32_t b_count, struct member *out);
