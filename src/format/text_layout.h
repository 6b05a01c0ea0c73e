#pragma once

/*
 * The layout of a body in the text format: all of it but the values.
 *
 * Most bodies are the same lines as last time with other values. Two bodies of
 * one layout parse alike: the value is the last word of its line, and a word
 * that is a float can be exchanged for any other without touching the rest.
 *
 * That holds for a body that was parsed and whose values were found to be the
 * last words of their lines; text_layout_fits() says so.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/hash.h"
#include "model/batch.h"

struct text_layout {
	struct hash128 hash;
	struct slice *values; /* in the arena; they point into the body */
	size_t value_count;
	bool is_plain; /* every line ends in a line feed, every value is a float */
};

void text_layout_scan(struct slice body, struct arena *arena, struct text_layout *ret_layout);

/*
 * Whether the samples of the batch that this body was parsed to are exactly
 * its lines, in their order, with their values: nothing was dropped, made up,
 * reordered or rewritten.
 */
bool text_layout_fits(const struct text_layout *layout, const struct batch *batch);
