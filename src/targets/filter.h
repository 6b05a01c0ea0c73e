#pragma once

/*
 * Which targets are wanted: by series selectors over their labels and
 * attributes, by state, by mode, by job.
 *
 * A selector sees the grouping labels and, by other names, the attributes. Its metric
 * is target_info, in case it names one.
 */

#include <stdbool.h>

#include "model/selector.h"
#include "targets/registry.h"

struct target_filter {
	struct selectors selectors; /* none: all */
	unsigned states;            /* a bit each; 0: all */
	unsigned modes;             /* a bit each; 0: none */
	struct slice job;           /* escaped; ptr NULL: all */
	struct slice class;         /* likewise: the attribute or label of that name */
};

/*
 * False, too, when the scratch has failed: a regular expression takes too long. What is
 * allocated for it lies in the scratch's arena.
 */
bool target_filter_takes(const struct target_filter *filter, const struct registry *registry,
		const struct target *target, struct pattern_scratch *scratch);

/* The grouping labels, and of the attributes those of other names; sorted, in the arena. */
struct labels target_all_labels(const struct target *target, struct arena *arena);
