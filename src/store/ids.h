#pragma once

/*
 * Identities of lines: 32 bits of a keyed hash of the series. Equal series
 * have equal identities; the reverse is to be looked at.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Called for each pair of equal identities, by their numbers; true ends the search. */
typedef bool ids_on_same(void *data, uint32_t number, uint32_t other);

/* Pairs within one list, the later number first. Whether the search was ended. */
bool ids_find_repeated(
		const uint32_t *ids, size_t count, struct arena *arena, ids_on_same *on_same, void *data);
