#pragma once

/*
 * What a weir answers to an import, read: see docs/export.md.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

struct outcome_fault {
	uint64_t line;      /* of the body, from 1 */
	struct slice group; /* its labels; ptr NULL: they could not be read */
	struct slice reason;
};

struct outcome {
	uint64_t groups; /* taken */
	uint64_t series;
	uint64_t unchanged; /* of the groups */
	uint64_t kept;      /* groups that stay, since something newer was pushed to them */
	uint64_t expired;
	uint64_t refused;
	struct outcome_fault *faults; /* the first ones */
	size_t fault_count;
};

/* False when the text is no such answer. The outcome lies in the arena. */
bool outcome_read(struct slice text, struct arena *arena, struct outcome *ret_outcome);
