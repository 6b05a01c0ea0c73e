#include "store/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

size_t group_bytes(const struct group_key *key)
{
	/* The text of the labels, with quotes, equals signs and commas, and instance="". */
	enum { AROUND_LABEL = 6, IMPLIED = 12 };
	size_t key_bytes = labels_copy_bytes(&key->labels);
	size_t text_bytes = key_bytes - key->labels.count * (sizeof(struct label) - AROUND_LABEL);
	return sizeof(struct group) + key_bytes + text_bytes + IMPLIED;
}

struct group *group_create(const struct group_key *key, struct shape *shape)
{
	struct arena arena;
	arena_init(&arena);
	struct slice label_text = group_key_text(key, &arena);
	size_t key_bytes = labels_copy_bytes(&key->labels);
	struct group *group = memory_zalloc(1, sizeof(*group) + key_bytes + label_text.len);
	group->key.labels = labels_copy(&key->labels, group + 1);
	char *text = (char *)(group + 1) + key_bytes;
	memcpy(text, label_text.ptr, label_text.len);
	group->label_text = slice_make(text, label_text.len);
	for (size_t i = 0; i < key->labels.count; i++) {
		group->has_quoted |= !labels_is_name(key->labels.pairs[i].name);
	}
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
