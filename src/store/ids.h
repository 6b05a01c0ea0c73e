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

/* A list prepared for looking up many identities. */
struct ids_table {
	const uint32_t *ids;
	uint32_t *places; /* number + 1; 0: free */
	size_t mask;
};

void ids_table_init(
		struct ids_table *table, const uint32_t *ids, size_t count, struct arena *arena);

/* Pairs of that identity, `number` first, with those in the table. */
bool ids_table_find(const struct ids_table *table, uint32_t id, uint32_t number,
		ids_on_same *on_same, void *data);
