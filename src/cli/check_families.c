#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/memory.h"
#include "cli/check_lint.h"

/* ---- Names that suffixes lead to ---- */

struct entry {
	struct map_node node;
	const struct batch_family *family;
};

static const struct batch_family *find(const struct map *by_name, struct slice name)
{
	uint64_t hash = hash64(name);
	struct map_node *node = map_first(by_name, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		const struct entry *entry = MAP_ENTRY(node, struct entry, node);
		if (slice_equal(entry->family->name, name)) {
			return entry->family;
		}
	}
	return NULL;
}

/* h_count beside a histogram h. */
static void lint_suffix(struct lint *lint, const struct map *by_name,
		const struct batch_family *family, const struct sample_suffix_row *row)
{
	if (family->name.len <= row->text.len || !slice_ends_with(family->name, row->text)) {
		return;
	}
	struct slice bare = slice_first(family->name, family->name.len - row->text.len);
	const struct batch_family *base = find(by_name, bare);
	if (base == NULL || (row->types & 1u << base->type) == 0) {
		return;
	}
	struct slice what = arena_printf(&lint->scratch,
			SLICE_FMT " is a metric of its own, but also part of the " SLICE_FMT " " SLICE_FMT,
			SLICE_ARG(lint_name(lint, family->name)), SLICE_ARG(metric_type_name(base->type)),
			SLICE_ARG(lint_name(lint, bare)));
	lint_fault(lint, &family->samples[0], NULL, what,
			"the TYPE line comes before all samples of the metric");
}

void lint_names(struct lint *lint)
{
	const struct batch *batch = &lint->page->batch;
	struct entry *entries = memory_alloc((batch->family_count + 1) * sizeof(*entries));
	struct entry *entry = entries;
	struct map by_name;
	map_init(&by_name);
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next, entry++) {
		entry->family = f;
		map_insert(&by_name, &entry->node, hash64(f->name));
	}
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		for (size_t i = 0; i < SAMPLE_SUFFIX_COUNT; i++) {
			lint_suffix(lint, &by_name, f, &sample_suffixes[i]);
		}
	}
	map_finish(&by_name);
	free(entries);
}

/* ---- Families that are mixed ---- */

struct extent {
	uint32_t first; /* lines */
	uint32_t last;
	const struct batch_family *family;
};

static int compare_extents(const void *a, const void *b)
{
	uint32_t left = ((const struct extent *)a)->first;
	uint32_t right = ((const struct extent *)b)->first;
	return (left > right) - (left < right);
}

/* False when none of the family's samples knows its line. */
static bool measure(const struct batch_family *family, struct extent *ret_extent)
{
	*ret_extent = (struct extent){ .first = UINT32_MAX, .family = family };
	for (size_t i = 0; i < family->sample_count; i++) {
		uint32_t line = family->samples[i].line;
		if (line > 0) {
			ret_extent->first = line < ret_extent->first ? line : ret_extent->first;
			ret_extent->last = line > ret_extent->last ? line : ret_extent->last;
		}
	}
	return ret_extent->last > 0;
}

/* The family's samples go on behind the first of another's. */
static void report_mixed(struct lint *lint, const struct extent *extent, const struct extent *other)
{
	const struct batch_family *family = extent->family;
	const struct sample *again = NULL;
	for (size_t i = 0; i < family->sample_count; i++) {
		const struct sample *sample = &family->samples[i];
		if (sample->line > other->first && (again == NULL || sample->line < again->line)) {
			again = sample;
		}
	}
	struct slice what = arena_printf(&lint->scratch,
			SLICE_FMT " goes on after " SLICE_FMT " has begun in line %u",
			SLICE_ARG(lint_name(lint, family->name)),
			SLICE_ARG(lint_name(lint, other->family->name)), (unsigned)other->first);
	lint_warn(lint, again, NULL, what, "all lines of a metric stand together");
}

void lint_order(struct lint *lint)
{
	const struct batch *batch = &lint->page->batch;
	struct extent *extents = memory_alloc((batch->family_count + 1) * sizeof(*extents));
	size_t count = 0;
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		count += measure(f, &extents[count]);
	}
	qsort(extents, count, sizeof(*extents), compare_extents);
	for (size_t i = 0; i + 1 < count; i++) {
		if (extents[i].last > extents[i + 1].first) {
			report_mixed(lint, &extents[i], &extents[i + 1]);
		}
	}
	free(extents);
}
