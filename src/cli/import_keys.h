#pragma once

/*
 * A set of grouping keys: those of groups that are done with. Two keys are told
 * apart by hashes of 128 bits.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/map.h"
#include "model/group_key.h"

struct import_keys {
	struct map by_hash;
	struct arena arena;
};

void import_keys_init(struct import_keys *keys);
void import_keys_finish(struct import_keys *keys);
bool import_keys_have(const struct import_keys *keys, const struct group_key *key);
void import_keys_add(struct import_keys *keys, const struct group_key *key);
