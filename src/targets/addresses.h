#pragma once

/*
 * The addresses that a name stands for: sorted, none twice, in one allocation.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct addresses {
	size_t count;
	struct slice all[]; /* host:port */
};

/* Copied; given in any order, some perhaps twice. To be freed. */
struct addresses *addresses_create(const struct slice *all, size_t count);

/* NULL is none. */
bool addresses_equal(const struct addresses *a, const struct addresses *b);
