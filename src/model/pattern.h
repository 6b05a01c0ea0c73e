#pragma once

/*
 * Regular expressions of selectors: anchored at both ends, a dot is any
 * character, as Prometheus has it. Matching is limited in steps and memory, so
 * that no expression can keep a thread busy.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

enum {
	PATTERN_BYTES_MAX = 4096,
	PATTERN_STEPS_MAX = 250000, /* of one match */
};

struct pattern;

/*
 * What matching needs beside the pattern, for one thread at a time. It lies in
 * the arena, and so does what matching allocates.
 */
struct pattern_scratch {
	struct arena *arena;
	void *matching; /* made when first needed */
	void *limits;
	const struct pattern *failed; /* the first that hit a limit; NULL: none */
};

/*
 * In the arena, to be used by any number of threads. NULL when the text is no
 * regular expression: why not, and at which byte.
 */
const struct pattern *pattern_compile(
		struct slice text, struct arena *arena, struct slice *reterr_what, size_t *reterr_offset);

void pattern_scratch_init(struct pattern_scratch *scratch, struct arena *arena);

/* False, and the scratch says so, when a limit was hit: now or ever before. */
bool pattern_matches(
		const struct pattern *pattern, struct slice text, struct pattern_scratch *scratch);
