#include "model/series.h"

#include "base/hash.h"

static uint64_t mix(uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t all[] = { a, b, c };
	return hash64(slice_make((const char *)all, sizeof(all)));
}

uint64_t series_hash(struct slice family, const struct sample *sample)
{
	uint64_t hash = mix(hash64(family), (uint64_t)sample->role, 0);
	for (size_t i = 0; i < sample->labels.count; i++) {
		const struct label *label = &sample->labels.pairs[i];
		if (label->value.len > 0) {
			hash = mix(hash, hash64(label->name), hash64(label->value));
		}
	}
	return hash;
}

/* The index of the next label that has a value. */
static size_t skip_empty(const struct labels *labels, size_t index)
{
	while (index < labels->count && labels->pairs[index].value.len == 0) {
		index++;
	}
	return index;
}

bool series_equal(const struct sample *a, const struct sample *b)
{
	size_t i = skip_empty(&a->labels, 0);
	size_t j = skip_empty(&b->labels, 0);
	while (i < a->labels.count && j < b->labels.count) {
		const struct label *left = &a->labels.pairs[i];
		const struct label *right = &b->labels.pairs[j];
		if (!slice_equal(left->value, right->value) || !slice_equal(left->name, right->name)) {
			return false;
		}
		i = skip_empty(&a->labels, i + 1);
		j = skip_empty(&b->labels, j + 1);
	}
	return a->role == b->role && i == a->labels.count && j == b->labels.count;
}
