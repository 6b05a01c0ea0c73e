#pragma once

/*
 * Changes that an operator makes to what is pushed, before it is stored:
 * metrics left out, labels left out, labels put in. Done in this order, so that
 * a label can be replaced by leaving it out and putting it in.
 *
 * Grouping labels are not touched. What tells the samples of one metric apart,
 * le and quantile, stays.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "model/batch.h"
#include "model/pattern.h"

struct relabel {
	const struct pattern **drop_metrics; /* by the family's name, as text has it: x_total */
	size_t drop_metric_count;
	const struct pattern **drop_labels; /* by the label's name */
	size_t drop_label_count;
	struct labels add; /* sorted; where a series has no such label, or an empty one */
};

/*
 * Changes the batch, whose new labels lie in the arena. False when an
 * expression took more steps than it may, and the batch is to be refused.
 */
bool relabel_apply(const struct relabel *relabel, struct batch *batch, struct arena *arena);
