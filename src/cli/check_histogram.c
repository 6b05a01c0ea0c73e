#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "cli/check_lint.h"

struct bucket {
	double bound;
	double count;
	const struct sample *sample;
};

/* The labels but le. */
static bool same_metric(const struct sample *a, const struct sample *b)
{
	size_t i = 0;
	size_t j = 0;
	for (;; i++, j++) {
		i += i < a->labels.count && slice_equal(a->labels.pairs[i].name, SLICE("le"));
		j += j < b->labels.count && slice_equal(b->labels.pairs[j].name, SLICE("le"));
		if (i >= a->labels.count || j >= b->labels.count) {
			return i >= a->labels.count && j >= b->labels.count;
		}
		const struct label *left = &a->labels.pairs[i];
		const struct label *right = &b->labels.pairs[j];
		if (!slice_equal(left->name, right->name) || !slice_equal(left->value, right->value)) {
			return false;
		}
	}
}

static int compare_bounds(const void *a, const void *b)
{
	double left = ((const struct bucket *)a)->bound;
	double right = ((const struct bucket *)b)->bound;
	return (left > right) - (left < right);
}

/* Counts are cumulative, so none is less than that of a smaller bound. */
static void lint_ascent(struct lint *lint, const struct batch_family *family,
		const struct bucket *buckets, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct sample *sample = buckets[i].sample;
		if (buckets[i].count < buckets[i - 1].count) {
			struct slice series = lint_series(lint, family, sample);
			struct slice before = buckets[i - 1].sample->value;
			struct slice what = arena_printf(&lint->scratch,
					SLICE_FMT " is " SLICE_FMT ", less than the bucket before, " SLICE_FMT,
					SLICE_ARG(series), SLICE_ARG(sample->value), SLICE_ARG(before));
			lint_warn(lint, sample, sample->value.ptr, what,
					"a bucket counts what is in the smaller ones, too");
			return;
		}
	}
}

static void lint_count(struct lint *lint, const struct batch_family *family,
		const struct bucket *infinite, const struct sample *count)
{
	if (number_value(count->value) != infinite->count) {
		struct slice what =
				arena_printf(&lint->scratch, SLICE_FMT " is " SLICE_FMT ", the count " SLICE_FMT,
						SLICE_ARG(lint_series(lint, family, infinite->sample)),
						SLICE_ARG(infinite->sample->value), SLICE_ARG(count->value));
		lint_warn(lint, infinite->sample, infinite->sample->value.ptr, what,
				"both say how many observations there were");
	}
}

/* The buckets of one metric, by bound; `next` is the sample behind them, NULL: none. */
static void lint_metric(struct lint *lint, const struct batch_family *family,
		const struct bucket *buckets, size_t count, const struct sample *next)
{
	const struct bucket *last = &buckets[count - 1];
	bool is_made_up = lint->is_text && last->sample->line == 0; /* from the count */
	bool has_count = next != NULL && (next->role == SAMPLE_COUNT || next->role == SAMPLE_GCOUNT);
	lint_ascent(lint, family, buckets, is_made_up ? count - 1 : count);
	if (!lint->is_whole) {
		return;
	}
	if (is_made_up) {
		struct sample there = *(count > 1 ? buckets[0].sample : next);
		struct slice what = arena_printf(&lint->scratch, SLICE_FMT " is missing",
				SLICE_ARG(lint_series(lint, family, last->sample)));
		lint_warn(lint, &there, NULL, what, "the last bucket counts everything");
	} else if (has_count && last->bound == __builtin_inf()) {
		lint_count(lint, family, last, next);
	}
}

static bool is_bucket_of(const struct sample *sample, const struct sample *first)
{
	return sample->role == SAMPLE_BUCKET && same_metric(sample, first);
}

void lint_buckets(struct lint *lint, const struct batch_family *family)
{
	struct bucket *buckets = memory_alloc((family->sample_count + 1) * sizeof(*buckets));
	const struct sample *sample = family->samples;
	const struct sample *end = sample + family->sample_count;
	while (sample < end) {
		const struct sample *first = sample;
		size_t count = 0;
		for (; sample < end && is_bucket_of(sample, first); sample++) {
			struct slice bound = labels_find(&sample->labels, SLICE("le"));
			buckets[count++] =
					(struct bucket){ number_value(bound), number_value(sample->value), sample };
		}
		if (count == 0) {
			sample++;
			continue;
		}
		qsort(buckets, count, sizeof(*buckets), compare_bounds);
		/* The sum comes first, where there is one. */
		const struct sample *next = sample;
		while (next < end && (next->role == SAMPLE_SUM || next->role == SAMPLE_GSUM)) {
			next++;
		}
		lint_metric(lint, family, buckets, count, next < end ? next : NULL);
	}
	free(buckets);
}
