#include "store/ids.h"

enum { FEW = 24 }; /* compared each with each */

/* Those seen so far, by identity. */
struct table {
	const uint32_t *ids;
	uint32_t *places; /* number + 1; 0: free */
	size_t mask;
};

static bool find_repeated_of_few(
		const uint32_t *ids, size_t count, ids_on_same *on_same, void *data)
{
	for (uint32_t i = 1; i < count; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (ids[i] == ids[j] && on_same(data, i, j)) {
				return true;
			}
		}
	}
	return false;
}

static void make_places(struct table *table, size_t count, struct arena *arena)
{
	size_t len = 16;
	while (len < count * 2) {
		len *= 2;
	}
	table->places = arena_zalloc(arena, len, sizeof(uint32_t));
	table->mask = len - 1;
}

static void insert(struct table *table, uint32_t number)
{
	size_t place = table->ids[number] & table->mask;
	while (table->places[place] != 0) {
		place = (place + 1) & table->mask;
	}
	table->places[place] = number + 1;
}

static bool find_seen(
		const struct table *table, uint32_t id, uint32_t number, ids_on_same *on_same, void *data)
{
	size_t place = id & table->mask;
	for (; table->places[place] != 0; place = (place + 1) & table->mask) {
		uint32_t other = table->places[place] - 1;
		if (table->ids[other] == id && on_same(data, number, other)) {
			return true;
		}
	}
	return false;
}

bool ids_find_repeated(
		const uint32_t *ids, size_t count, struct arena *arena, ids_on_same *on_same, void *data)
{
	if (count <= FEW) {
		return find_repeated_of_few(ids, count, on_same, data);
	}
	struct table table = { .ids = ids };
	make_places(&table, count, arena);
	for (uint32_t i = 0; i < count; i++) {
		if (find_seen(&table, ids[i], i, on_same, data)) {
			return true;
		}
		insert(&table, i);
	}
	return false;
}
