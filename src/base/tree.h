#pragma once

/*
 * Ordered sets: the red-black trees of BSD's <sys/tree.h>, as libbsd has them.
 * Their nodes are embedded in the elements; see tree(3bsd).
 */

#include <bsd/sys/tree.h>

/* RB_GENERATE_STATIC without a warning for each operation that is not used. */
#define TREE_GENERATE(name, type, field, compare)                                                  \
	RB_GENERATE_INTERNAL(name, type, field, compare, __attribute__((unused)) static)
