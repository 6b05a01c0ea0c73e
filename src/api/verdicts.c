#include "api/verdicts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct verdict {
	struct map_node node;
	struct list link;
	struct pair_digest pair;
};

void verdicts_init(struct verdicts *verdicts, size_t max)
{
	*verdicts = (struct verdicts){ .max = max };
	map_init(&verdicts->map);
	list_init(&verdicts->used);
}

void verdicts_finish(struct verdicts *verdicts)
{
	verdicts_clear(verdicts);
	map_finish(&verdicts->map);
}

/* The digest is as good as random already. */
static uint64_t hash_of(const struct pair_digest *pair)
{
	uint64_t hash;
	memcpy(&hash, pair->bytes, sizeof(hash));
	return hash;
}

static void forget(struct verdicts *verdicts, struct verdict *verdict)
{
	map_remove(&verdicts->map, &verdict->node);
	list_remove(&verdict->link);
	free(verdict);
}

bool verdicts_has(struct verdicts *verdicts, const struct pair_digest *pair)
{
	uint64_t hash = hash_of(pair);
	struct map_node *node = map_first(&verdicts->map, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct verdict *verdict = MAP_ENTRY(node, struct verdict, node);
		if (pair_digest_equal(&verdict->pair, pair)) {
			list_remove(&verdict->link);
			list_append(&verdicts->used, &verdict->link);
			return true;
		}
	}
	return false;
}

void verdicts_add(struct verdicts *verdicts, const struct pair_digest *pair)
{
	if (verdicts_has(verdicts, pair)) {
		return;
	}
	if (verdicts->map.len == verdicts->max) {
		forget(verdicts, LIST_ENTRY(list_first(&verdicts->used), struct verdict, link));
	}
	struct verdict *verdict = memory_zalloc(1, sizeof(*verdict));
	verdict->pair = *pair;
	list_append(&verdicts->used, &verdict->link);
	map_insert(&verdicts->map, &verdict->node, hash_of(pair));
}

void verdicts_clear(struct verdicts *verdicts)
{
	LIST_EACH (link, &verdicts->used) {
		forget(verdicts, LIST_ENTRY(link, struct verdict, link));
	}
}
