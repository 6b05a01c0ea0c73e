#pragma once

/*
 * Rivals: the exposed blocks that contradict one that is not.
 *
 * check.h says whether a push may go in, given all that is exposed. Here it is
 * about pairs of blocks: whether two contradict each other depends on nothing
 * else, and is the same from both sides. What is taken by the check contradicts
 * nothing that was there.
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/contents.h"

enum { RIVALS_MAX = 256 };

struct rival {
	struct group *group;
	struct family *family;
	uint32_t slot;
};

struct rivals {
	struct rival found[RIVALS_MAX];
	size_t count;
	bool has_more; /* than there is room for */
};

/*
 * Who would have to give way so that the block could be exposed. False: it cannot
 * be, since a rival comes before it, or since it contradicts itself or weir's
 * own families.
 */
bool rivals_find(const struct contents *contents, const struct shadowed_block *block,
		struct rivals *ret_rivals);
