#pragma once

/*
 * What one push brought lies in one pack, and a pack is freed as a whole. When
 * posts have replaced most of its blocks, those that are left move to a pack
 * of their own, so that no group holds on to more than twice what it has.
 */

#include <stdbool.h>

#include "store/contents.h"

/* More than half of the pack is in blocks that were replaced. */
static inline bool repack_is_due(const struct pack *pack)
{
	return pack->dead_bytes > pack->bytes / 2;
}

/* Moves those of the group's blocks that lie in the pack. The caller holds on to it. */
void repack(struct contents *contents, struct group *group, struct pack *pack, uint64_t version);
