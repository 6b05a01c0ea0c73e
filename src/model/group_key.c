#include "model/group_key.h"

#include "base/buf.h"
#include "base/hash.h"

void group_key_init(struct group_key *key, struct labels labels)
{
	labels_sort(&labels);
	size_t kept = 0;
	for (size_t i = 0; i < labels.count; i++) {
		if (kept > 0 && slice_equal(labels.pairs[kept - 1].name, labels.pairs[i].name)) {
			kept--;
		}
		labels.pairs[kept++] = labels.pairs[i];
	}
	labels.count = kept;
	key->labels = labels;
}

static bool label_equal(const struct label *a, const struct label *b)
{
	return slice_equal(a->name, b->name) && slice_equal(a->value, b->value);
}

bool group_key_equal(const struct group_key *a, const struct group_key *b)
{
	if (a->labels.count != b->labels.count) {
		return false;
	}
	for (size_t i = 0; i < a->labels.count; i++) {
		if (!label_equal(&a->labels.pairs[i], &b->labels.pairs[i])) {
			return false;
		}
	}
	return true;
}

/* The index of the next label that has a value, or the count. */
static size_t next_with_value(const struct labels *labels, size_t index)
{
	while (index < labels->count && labels->pairs[index].value.len == 0) {
		index++;
	}
	return index;
}

bool group_key_equal_normalised(const struct group_key *a, const struct group_key *b)
{
	size_t i = next_with_value(&a->labels, 0);
	size_t j = next_with_value(&b->labels, 0);
	while (i < a->labels.count && j < b->labels.count) {
		if (!label_equal(&a->labels.pairs[i], &b->labels.pairs[j])) {
			return false;
		}
		i = next_with_value(&a->labels, i + 1);
		j = next_with_value(&b->labels, j + 1);
	}
	return i == a->labels.count && j == b->labels.count;
}

int group_key_compare(const struct group_key *a, const struct group_key *b)
{
	for (size_t i = 0; i < a->labels.count && i < b->labels.count; i++) {
		const struct label *left = &a->labels.pairs[i];
		const struct label *right = &b->labels.pairs[i];
		int order = slice_compare(left->name, right->name);
		order = order != 0 ? order : slice_compare(left->value, right->value);
		if (order != 0) {
			return order;
		}
	}
	return (a->labels.count > b->labels.count) - (a->labels.count < b->labels.count);
}

uint64_t group_key_hash(const struct group_key *key)
{
	uint64_t hash = 0;
	for (size_t i = 0; i < key->labels.count; i++) {
		const struct label *label = &key->labels.pairs[i];
		if (label->value.len > 0) {
			uint64_t both[3] = { hash, hash64(label->name), hash64(label->value) };
			hash = hash64(slice_make((const char *)both, sizeof(both)));
		}
	}
	return hash;
}

static void append_label(struct buf *text, struct slice name, struct slice value)
{
	if (text->len > 0) {
		buf_append_byte(text, ',');
	}
	bool is_quoted = !labels_is_name(name);
	buf_append(text, is_quoted ? SLICE("\"") : SLICE(""));
	buf_append(text, name);
	buf_append(text, is_quoted ? SLICE("\"=\"") : SLICE("=\""));
	buf_append(text, value);
	buf_append_byte(text, '"');
}

struct slice group_key_text(const struct group_key *key, struct arena *arena)
{
	const struct slice instance = SLICE("instance");
	bool has_instance = labels_find(&key->labels, instance).ptr != NULL;
	struct buf text;
	buf_init(&text, 0);
	for (size_t i = 0; i < key->labels.count; i++) {
		const struct label *label = &key->labels.pairs[i];
		if (!has_instance && slice_compare(label->name, instance) > 0) {
			append_label(&text, instance, SLICE(""));
			has_instance = true;
		}
		append_label(&text, label->name, label->value);
	}
	if (!has_instance) {
		append_label(&text, instance, SLICE(""));
	}
	struct slice copy = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}
