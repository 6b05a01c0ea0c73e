#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/memory.h"
#include "cli/check_lint.h"

/* The index of the next label with a value: one without is none to Prometheus. */
static size_t skip_empty(const struct labels *labels, size_t index)
{
	while (index < labels->count && labels->pairs[index].value.len == 0) {
		index++;
	}
	return index;
}

static bool same_series(const struct sample *a, const struct sample *b)
{
	size_t i = skip_empty(&a->labels, 0);
	size_t j = skip_empty(&b->labels, 0);
	while (i < a->labels.count && j < b->labels.count) {
		const struct label *left = &a->labels.pairs[i];
		const struct label *right = &b->labels.pairs[j];
		if (!slice_equal(left->name, right->name) || !slice_equal(left->value, right->value)) {
			return false;
		}
		i = skip_empty(&a->labels, i + 1);
		j = skip_empty(&b->labels, j + 1);
	}
	return a->role == b->role && i == a->labels.count && j == b->labels.count;
}

static uint64_t hash_series(const struct sample *sample)
{
	uint64_t hash = (uint64_t)sample->role;
	for (size_t i = skip_empty(&sample->labels, 0); i < sample->labels.count;
			i = skip_empty(&sample->labels, i + 1)) {
		const struct label *label = &sample->labels.pairs[i];
		uint64_t parts[3] = { hash, hash64(label->name), hash64(label->value) };
		hash = hash64(slice_make((const char *)parts, sizeof(parts)));
	}
	return hash;
}

static void report_repeated(struct lint *lint, const struct batch_family *family,
		const struct sample *sample, const struct sample *first)
{
	struct slice series = lint_series(lint, family, sample);
	struct slice where = first->line == 0
			? SLICE("")
			: arena_printf(&lint->scratch, ", first in line %u", (unsigned)first->line);
	struct slice what = arena_printf(&lint->scratch, SLICE_FMT " is there twice" SLICE_FMT,
			SLICE_ARG(series), SLICE_ARG(where));
	lint_fault(lint, sample, NULL, what, "each series is given once; labels tell series apart");
	lint->has_equal_samples = true;
}

void lint_repeated(struct lint *lint, const struct batch_family *family)
{
	size_t count = family->sample_count;
	struct map_node *nodes = memory_alloc(count * sizeof(struct map_node));
	struct map seen;
	map_init(&seen);
	for (size_t i = 0; i < count; i++) {
		const struct sample *sample = &family->samples[i];
		uint64_t hash = hash_series(sample);
		struct map_node *node = map_first(&seen, hash);
		while (node != NULL && !same_series(&family->samples[node - nodes], sample)) {
			node = map_next(node, hash);
		}
		if (node != NULL) {
			report_repeated(lint, family, sample, &family->samples[node - nodes]);
		} else {
			map_insert(&seen, &nodes[i], hash);
		}
	}
	map_finish(&seen);
	free(nodes);
}
