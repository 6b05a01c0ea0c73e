#include "base/map.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
	FIRST_BUCKETS = 16,
	MOVES_PER_INSERTION = 4,
};

void map_init(struct map *map)
{
	*map = (struct map){ 0 };
}

void map_finish(struct map *map)
{
	free(map->buckets);
	free(map->old_buckets);
	map_init(map);
}

static struct map_node **bucket_of(const struct map *map, uint64_t hash)
{
	if (map->old_buckets != NULL) {
		size_t old = hash & (map->old_bucket_count - 1);
		if (old >= map->moved) {
			return &map->old_buckets[old];
		}
	}
	return &map->buckets[hash & (map->bucket_count - 1)];
}

static void move_some(struct map *map)
{
	for (int i = 0; i < MOVES_PER_INSERTION && map->moved < map->old_bucket_count; i++) {
		struct map_node *node = map->old_buckets[map->moved];
		while (node != NULL) {
			struct map_node *next = node->next;
			struct map_node **bucket = &map->buckets[node->hash & (map->bucket_count - 1)];
			node->next = *bucket;
			*bucket = node;
			node = next;
		}
		map->moved++;
	}
	if (map->moved == map->old_bucket_count) {
		free(map->old_buckets);
		map->old_buckets = NULL;
	}
}

static void grow(struct map *map)
{
	map->old_buckets = map->buckets;
	map->old_bucket_count = map->bucket_count;
	map->moved = 0;
	map->bucket_count = map->bucket_count == 0 ? FIRST_BUCKETS : map->bucket_count * 2;
	map->buckets = memory_zalloc(map->bucket_count, sizeof(struct map_node *));
}

void map_insert(struct map *map, struct map_node *node, uint64_t hash)
{
	if (map->old_buckets != NULL) {
		move_some(map);
	} else if (map->len >= map->bucket_count) {
		grow(map);
		if (map->old_bucket_count == 0) {
			map->old_buckets = NULL;
		}
	}
	node->hash = hash;
	struct map_node **bucket = bucket_of(map, hash);
	node->next = *bucket;
	*bucket = node;
	map->len++;
}

void map_remove(struct map *map, struct map_node *node)
{
	struct map_node **link = bucket_of(map, node->hash);
	while (*link != node) {
		link = &(*link)->next;
	}
	*link = node->next;
	map->len--;
}

static struct map_node *find_from(struct map_node *node, uint64_t hash)
{
	while (node != NULL && node->hash != hash) {
		node = node->next;
	}
	return node;
}

struct map_node *map_first(const struct map *map, uint64_t hash)
{
	return map->len == 0 ? NULL : find_from(*bucket_of(map, hash), hash);
}

struct map_node *map_next(const struct map_node *node, uint64_t hash)
{
	return find_from(node->next, hash);
}
