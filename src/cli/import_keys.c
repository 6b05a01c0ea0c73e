#include "cli/import_keys.h"

#include "base/buf.h"
#include "base/hash.h"

struct entry {
	struct map_node node;
	struct hash128 hash;
};

void import_keys_init(struct import_keys *keys)
{
	map_init(&keys->by_hash);
	arena_init(&keys->arena);
}

void import_keys_finish(struct import_keys *keys)
{
	map_finish(&keys->by_hash);
	arena_finish(&keys->arena);
}

/* Of the labels as they are: {job="x"} is another key than {instance="",job="x"}. */
static struct hash128 hash_of(const struct group_key *key)
{
	struct buf text;
	buf_init(&text, 0);
	buf_reserve(&text, 1);
	for (size_t i = 0; i < key->labels.count; i++) {
		const struct label *label = &key->labels.pairs[i];
		/* Neither has a line feed: it would be escaped. */
		buf_append(&text, label->name);
		buf_append_byte(&text, '\n');
		buf_append(&text, label->value);
		buf_append_byte(&text, '\n');
	}
	struct hash128 hash = hash128(buf_slice(&text));
	buf_finish(&text);
	return hash;
}

bool import_keys_have(const struct import_keys *keys, const struct group_key *key)
{
	struct hash128 hash = hash_of(key);
	struct map_node *node = map_first(&keys->by_hash, hash.low);
	for (; node != NULL; node = map_next(node, hash.low)) {
		if (hash128_equal(MAP_ENTRY(node, struct entry, node)->hash, hash)) {
			return true;
		}
	}
	return false;
}

void import_keys_add(struct import_keys *keys, const struct group_key *key)
{
	struct entry *entry = arena_alloc(&keys->arena, sizeof(*entry));
	entry->hash = hash_of(key);
	map_insert(&keys->by_hash, &entry->node, entry->hash.low);
}
