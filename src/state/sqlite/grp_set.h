#pragma once

/*
 * A set of groups' numbers, as rows have them: eight bytes each, and room to
 * grow.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct grp_set {
	uint64_t *slots; /* 0: empty */
	size_t capacity; /* a power of two */
	size_t len;
};

void grp_set_init(struct grp_set *set);
void grp_set_finish(struct grp_set *set);

/* 0 is no group's number. */
void grp_set_add(struct grp_set *set, uint64_t grp);
bool grp_set_has(const struct grp_set *set, uint64_t grp);
