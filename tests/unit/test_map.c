#include "base/map.h"

#include <stdbool.h>
#include <stdlib.h>

#include "check.h"
#include "unit/random.h"

enum { ELEMENTS = 2000 };

struct element {
	struct map_node node;
	bool is_there;
	uint64_t hash;
};

static struct element elements[ELEMENTS];

static bool is_found(const struct map *map, struct element *element)
{
	struct map_node *node = map_first(map, element->hash);
	while (node != NULL && node != &element->node) {
		node = map_next(node, element->hash);
	}
	return node != NULL;
}

static void test_empty(void)
{
	struct map map;
	map_init(&map);
	CHECK(map_first(&map, 0) == NULL);
	map_insert(&map, &elements[0].node, 7);
	CHECK(map_first(&map, 7) == &elements[0].node);
	CHECK(map_first(&map, 8) == NULL);
	CHECK(map_first(&map, 7 + 16) == NULL);
	map_remove(&map, &elements[0].node);
	CHECK_INT(map.len, 0);
	CHECK(map_first(&map, 7) == NULL);
	map_finish(&map);
}

/* Nodes of one hash are all found, those removed are not. */
static void test_equal_hashes(void)
{
	struct map map;
	map_init(&map);
	for (int i = 0; i < 100; i++) {
		map_insert(&map, &elements[i].node, 5);
	}
	for (int i = 0; i < 100; i += 2) {
		map_remove(&map, &elements[i].node);
	}
	int found = 0;
	struct map_node *node = map_first(&map, 5);
	for (; node != NULL; node = map_next(node, 5)) {
		found += (MAP_ENTRY(node, struct element, node) - elements) % 2;
	}
	CHECK_INT(found, 50);
	map_finish(&map);
}

static void check_all(const struct map *map)
{
	size_t count = 0;
	for (size_t i = 0; i < ELEMENTS; i++) {
		CHECK_INT(is_found(map, &elements[i]), elements[i].is_there);
		count += elements[i].is_there;
	}
	CHECK_INT(map->len, count);
}

/* Insertions and removals at random, also while the table grows. */
static void test_random(void)
{
	struct random_source random;
	random_init(&random);
	for (unsigned round = random_rounds(20); round > 0 && check_failures == 0; round--) {
		struct map map;
		map_init(&map);
		unsigned hashes = 1 + random_below(&random, 3000);
		unsigned most = 1 + random_below(&random, ELEMENTS);
		for (size_t i = 0; i < ELEMENTS; i++) {
			elements[i].is_there = false;
			elements[i].hash = random_below(&random, hashes) * UINT64_C(0x9e3779b97f4a7c15);
		}
		for (int i = 0; i < 5000; i++) {
			struct element *element = &elements[random_below(&random, most)];
			if (element->is_there) {
				map_remove(&map, &element->node);
			} else {
				map_insert(&map, &element->node, element->hash);
			}
			element->is_there = !element->is_there;
			CHECK_INT(is_found(&map, element), element->is_there);
			if (i % 500 == 0) {
				check_all(&map);
			}
		}
		check_all(&map);
		map_finish(&map);
	}
}

int main(void)
{
	RUN(test_empty);
	RUN(test_equal_hashes);
	RUN(test_random);
	return check_done();
}
