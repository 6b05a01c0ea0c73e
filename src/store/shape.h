#pragma once

/*
 * The shape of a grouping key: the names of its labels that have a value.
 *
 * Two groups of one shape cannot expose the same series: all their grouping
 * labels are in every line, and at least one differs in value. Only groups of
 * different shapes can, and then the key of the other group can be read off
 * the series itself: the values that it has for the names of the other shape.
 * So a family knows which shapes its blocks come from, and a push looks up
 * those few groups that it could possibly meet, instead of an index of all
 * series.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "model/group_key.h"

struct shape {
	struct map_node node;
	uint64_t mask; /* prepare_label_bit() of the names */
	uint32_t refs;
	uint32_t name_count;
	struct slice names[]; /* sorted; their text behind them */
};

/* One shape with how many exposed blocks of a family come from it. */
struct shape_count {
	struct shape *shape;
	uint64_t mask;
	uint32_t blocks;
};

struct shape_counts {
	struct shape_count *entries;
	uint32_t len;
	uint32_t capacity;
};

/* The shape of that key, with one reference more. */
struct shape *shape_enter(struct map *shapes, const struct group_key *key);
void shape_leave(struct map *shapes, struct shape *shape);

/* How many shapes there would be with that one. */
uint32_t shape_counts_with(const struct shape_counts *counts, const struct shape *shape);

void shape_counts_add(struct shape_counts *counts, struct shape *shape);
void shape_counts_remove(struct shape_counts *counts, struct shape *shape);
void shape_counts_finish(struct shape_counts *counts);
