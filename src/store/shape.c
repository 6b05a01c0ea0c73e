#include "store/shape.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "store/prepare.h"

static uint64_t hash_names(const struct group_key *key)
{
	uint64_t hash = 0;
	for (size_t i = 0; i < key->labels.count; i++) {
		const struct label *label = &key->labels.pairs[i];
		if (label->value.len > 0) {
			uint64_t both[2] = { hash, hash64(label->name) };
			hash = hash64(slice_make((const char *)both, sizeof(both)));
		}
	}
	return hash;
}

static bool has_names(const struct shape *shape, const struct group_key *key)
{
	size_t matched = 0;
	for (size_t i = 0; i < key->labels.count; i++) {
		const struct label *label = &key->labels.pairs[i];
		if (label->value.len == 0) {
			continue;
		}
		if (matched == shape->name_count || !slice_equal(shape->names[matched], label->name)) {
			return false;
		}
		matched++;
	}
	return matched == shape->name_count;
}

static struct shape *make_shape(const struct group_key *key)
{
	size_t count = 0;
	size_t text_bytes = 0;
	for (size_t i = 0; i < key->labels.count; i++) {
		bool has_value = key->labels.pairs[i].value.len > 0;
		count += has_value;
		text_bytes += has_value ? key->labels.pairs[i].name.len : 0;
	}
	struct shape *shape = memory_alloc(sizeof(*shape) + count * sizeof(struct slice) + text_bytes);
	char *text = (char *)(shape->names + count);
	*shape = (struct shape){ 0 };
	for (size_t i = 0; i < key->labels.count; i++) {
		struct slice name = key->labels.pairs[i].name;
		if (key->labels.pairs[i].value.len > 0) {
			memcpy(text, name.ptr, name.len);
			shape->names[shape->name_count++] = slice_make(text, name.len);
			shape->mask |= prepare_label_bit(name);
			text += name.len;
		}
	}
	return shape;
}

struct shape *shape_enter(struct map *shapes, const struct group_key *key)
{
	uint64_t hash = hash_names(key);
	struct map_node *node = map_first(shapes, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct shape *shape = MAP_ENTRY(node, struct shape, node);
		if (has_names(shape, key)) {
			shape->refs++;
			return shape;
		}
	}
	struct shape *shape = make_shape(key);
	shape->refs = 1;
	map_insert(shapes, &shape->node, hash);
	return shape;
}

void shape_leave(struct map *shapes, struct shape *shape)
{
	if (--shape->refs == 0) {
		map_remove(shapes, &shape->node);
		free(shape);
	}
}

uint32_t shape_counts_with(const struct shape_counts *counts, const struct shape *shape)
{
	for (uint32_t i = 0; i < counts->len; i++) {
		if (counts->entries[i].shape == shape) {
			return counts->len;
		}
	}
	return counts->len + 1;
}

void shape_counts_add(struct shape_counts *counts, struct shape *shape)
{
	for (uint32_t i = 0; i < counts->len; i++) {
		if (counts->entries[i].shape == shape) {
			counts->entries[i].blocks++;
			return;
		}
	}
	if (counts->len == counts->capacity) {
		counts->capacity = counts->capacity == 0 ? 1 : counts->capacity * 2;
		counts->entries =
				memory_resize(counts->entries, counts->capacity * sizeof(counts->entries[0]));
	}
	counts->entries[counts->len++] =
			(struct shape_count){ .shape = shape, .mask = shape->mask, .blocks = 1 };
}

void shape_counts_remove(struct shape_counts *counts, struct shape *shape)
{
	uint32_t i = 0;
	while (counts->entries[i].shape != shape) {
		i++;
	}
	if (--counts->entries[i].blocks == 0) {
		counts->entries[i] = counts->entries[--counts->len];
	}
}

void shape_counts_finish(struct shape_counts *counts)
{
	free(counts->entries);
}
