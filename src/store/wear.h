#pragma once

/*
 * Packs that a change takes blocks out of: in the end those that are worn are
 * repacked, see repack.h. Meanwhile they are held on to.
 */

#include "base/arena.h"
#include "store/contents.h"

struct worn_pack;

struct wear {
	struct contents *contents;
	struct group *group;
	struct arena *arena;
	struct worn_pack *worn;
};

/* The pack of a block that is about to be replaced, held on to until it is checked. */
struct pack *wear_hold(struct block *block);

/* When the block is gone: remembers the pack if it is worn, else lets go of it. */
void wear_check(struct wear *wear, struct pack *pack);

void wear_repack(struct wear *wear, uint64_t version);
