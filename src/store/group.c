#include "store/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static size_t key_bytes(const struct group_key *key)
{
	size_t bytes = key->labels.count * sizeof(struct label);
	for (size_t i = 0; i < key->labels.count; i++) {
		bytes += key->labels.pairs[i].name.len + key->labels.pairs[i].value.len;
	}
	return bytes;
}

static struct slice copy_text(char **text, struct slice from)
{
	struct slice copy = slice_make(*text, from.len);
	if (from.len > 0) {
		memcpy(*text, from.ptr, from.len);
	}
	*text += from.len;
	return copy;
}

size_t group_bytes(const struct group_key *key)
{
	/* The text of the labels, with quotes, equals signs and commas, and instance="". */
	enum { AROUND_LABEL = 6, IMPLIED = 12 };
	size_t text_bytes = key_bytes(key) - key->labels.count * (sizeof(struct label) - AROUND_LABEL);
	return sizeof(struct group) + key_bytes(key) + text_bytes + IMPLIED;
}

struct group *group_create(const struct group_key *key, struct shape *shape)
{
	struct arena arena;
	arena_init(&arena);
	struct slice label_text = group_key_text(key, &arena);
	size_t count = key->labels.count;
	struct group *group = memory_zalloc(1, sizeof(*group) + key_bytes(key) + label_text.len);
	struct label *pairs = (struct label *)(group + 1);
	char *text = (char *)(pairs + count);
	for (size_t i = 0; i < count; i++) {
		pairs[i].name = copy_text(&text, key->labels.pairs[i].name);
		pairs[i].value = copy_text(&text, key->labels.pairs[i].value);
		group->has_quoted |= !labels_is_name(pairs[i].name);
	}
	group->key.labels = (struct labels){ .pairs = pairs, .count = count };
	group->label_text = copy_text(&text, label_text);
	group->shape = shape;
	group->bytes = group_bytes(key);
	arena_finish(&arena);
	return group;
}

void group_destroy(struct group *group)
{
	free(group->members);
	free(group);
}

struct member *group_find_member(const struct group *group, const struct family *family)
{
	return group_find_member_by_id(group, family->id);
}

struct member *group_find_member_by_id(const struct group *group, uint32_t family_id)
{
	uint32_t low = 0;
	uint32_t high = group->member_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		uint32_t id = group->members[middle].family_id;
		if (id == family_id) {
			return &group->members[middle];
		}
		if (id < family_id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}
