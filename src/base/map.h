#pragma once

/*
 * A hash table whose nodes are embedded in the elements. It grows a little
 * with every insertion, never in one pause: while it grows there are two
 * tables, and each insertion moves a few buckets over.
 */

#include <stddef.h>
#include <stdint.h>

struct map_node {
	struct map_node *next;
	uint64_t hash;
};

struct map {
	struct map_node **buckets;
	struct map_node **old_buckets; /* being emptied; NULL when not growing */
	size_t bucket_count;           /* a power of two; 0 before the first insertion */
	size_t old_bucket_count;
	size_t moved; /* old buckets that are empty already */
	size_t len;
};

/* The element that holds this node. */
#define MAP_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

void map_init(struct map *map);

/* Frees the tables; the elements are the owner's. */
void map_finish(struct map *map);

/* Does not look whether an equal one is there. */
void map_insert(struct map *map, struct map_node *node, uint64_t hash);

/* The node must be in the map. */
void map_remove(struct map *map, struct map_node *node);

/*
 * Nodes of that hash, one after the other: map_first(), then map_next() until
 * NULL. The caller compares.
 */
struct map_node *map_first(const struct map *map, uint64_t hash);
struct map_node *map_next(const struct map_node *node, uint64_t hash);
