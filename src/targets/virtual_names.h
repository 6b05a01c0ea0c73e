#pragma once

/*
 * The names of targets that nobody in particular pushes, as a setting has them:
 *
 *     perf, esight_if
 *     ["perf", "esight_if"]
 *
 * The second form is JSON, as ORWELL's SD_ARTIFICIAL_HOSTS has them, and takes names with commas.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

enum { VIRTUAL_NAMES_MAX = 1000, VIRTUAL_NAME_BYTES_MAX = 1024 };

struct virtual_names {
	struct slice *names; /* as they are, not escaped; some may be equal */
	size_t count;
};

/* In the arena. False with a sentence without its full stop. */
bool virtual_names_read(struct slice text, struct arena *arena, struct virtual_names *ret_names,
		struct slice *reterr_why);
