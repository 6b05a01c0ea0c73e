#pragma once

/*
 * Several pushes to one group as one, so that they are checked and applied at
 * once: all of them or none. Each keeps the time of its own.
 */

#include "store/prepare.h"

/* They have families each, and none that another one has. */
void join_pushes(struct prepared_push *pushes, const int64_t *pushed_ns, size_t count,
		struct arena *arena, struct prepared_push *ret_push);
