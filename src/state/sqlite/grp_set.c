#include "state/sqlite/grp_set.h"

#include <stdlib.h>

#include "base/memory.h"

enum { CAPACITY_MIN = 1024 };

/* Numbers are given one after the other: the low bits of this spread them well. */
static size_t place_of(const struct grp_set *set, uint64_t grp)
{
	size_t place = (grp * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (set->capacity - 1);
	while (set->slots[place] != 0 && set->slots[place] != grp) {
		place = (place + 1) & (set->capacity - 1);
	}
	return place;
}

void grp_set_init(struct grp_set *set)
{
	*set = (struct grp_set){ .capacity = CAPACITY_MIN };
	set->slots = memory_zalloc(set->capacity, sizeof(uint64_t));
}

void grp_set_finish(struct grp_set *set)
{
	free(set->slots);
}

static void grow(struct grp_set *set)
{
	struct grp_set larger = { .capacity = set->capacity * 2, .len = set->len };
	larger.slots = memory_zalloc(larger.capacity, sizeof(uint64_t));
	for (size_t i = 0; i < set->capacity; i++) {
		if (set->slots[i] != 0) {
			larger.slots[place_of(&larger, set->slots[i])] = set->slots[i];
		}
	}
	free(set->slots);
	*set = larger;
}

void grp_set_add(struct grp_set *set, uint64_t grp)
{
	size_t place = place_of(set, grp);
	if (grp == 0 || set->slots[place] == grp) {
		return;
	}
	set->slots[place] = grp;
	if (++set->len > set->capacity / 2) {
		grow(set);
	}
}

bool grp_set_has(const struct grp_set *set, uint64_t grp)
{
	return grp != 0 && set->slots[place_of(set, grp)] == grp;
}
