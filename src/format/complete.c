#include "format/complete.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/number.h"
#include "base/quote.h"

/* What was said about one metric of the family, in order. */
struct metric {
	struct map_node node;
	struct metric *next;
	struct labels labels;   /* without le or quantile */
	struct sample **bounds; /* quantiles or buckets */
	size_t bound_count;
	size_t bound_capacity;
	struct sample *infinite; /* the +Inf bucket, among bounds */
	struct slice sum;
	struct slice count;
	uint32_t sum_line; /* 0: made up */
	uint32_t count_line;
};

struct metrics {
	struct map by_labels;
	struct metric *first;
	struct metric **last;
	struct slice bound_name;
	size_t most;  /* samples that may become of them */
	size_t count; /* that do */
	struct arena *arena;
};

static bool is_bound(const struct sample *sample)
{
	return sample->role == SAMPLE_BUCKET || sample->role == SAMPLE_QUANTILE;
}

/* The index of the next label that tells metrics apart. */
static size_t next_label(const struct sample *sample, struct slice bound_name, size_t index)
{
	bool skips = is_bound(sample) && index < sample->labels.count
			&& slice_equal(sample->labels.pairs[index].name, bound_name);
	return skips ? index + 1 : index;
}

static bool same_metric(const struct sample *a, const struct sample *b, struct slice bound_name)
{
	size_t i = next_label(a, bound_name, 0);
	size_t j = next_label(b, bound_name, 0);
	while (i < a->labels.count && j < b->labels.count) {
		const struct label *left = &a->labels.pairs[i];
		const struct label *right = &b->labels.pairs[j];
		if (!slice_equal(left->name, right->name) || !slice_equal(left->value, right->value)) {
			return false;
		}
		i = next_label(a, bound_name, i + 1);
		j = next_label(b, bound_name, j + 1);
	}
	return i == a->labels.count && j == b->labels.count;
}

static struct slice bound_of(const struct sample *sample, struct slice bound_name)
{
	return labels_find(&sample->labels, bound_name);
}

/*
 * The common case: one metric, all in order. Then nothing is to be done. For
 * histograms that means ascending buckets up to +Inf, then sum and count.
 */
static bool is_complete(const struct batch_family *family, struct slice bound_name)
{
	size_t n = family->sample_count;
	const struct sample *samples = family->samples;
	if (n < 2 || samples[n - 2].role != SAMPLE_SUM || samples[n - 1].role != SAMPLE_COUNT) {
		return false;
	}
	double before = -__builtin_inf();
	for (size_t i = 0; i < n - 1; i++) {
		if (!same_metric(&samples[i], &samples[n - 1], bound_name)) {
			return false;
		}
		if (i == n - 2) {
			break;
		}
		double bound = is_bound(&samples[i]) ? number_value(bound_of(&samples[i], bound_name)) : 0;
		if (!is_bound(&samples[i]) || (i > 0 && bound <= before)) {
			return false;
		}
		before = bound;
	}
	return family->type == METRIC_SUMMARY || (n > 2 && before == __builtin_inf());
}

static uint64_t hash_metric(const struct sample *sample, struct slice bound_name)
{
	uint64_t hash = 0;
	for (size_t i = next_label(sample, bound_name, 0); i < sample->labels.count;
			i = next_label(sample, bound_name, i + 1)) {
		const struct label *label = &sample->labels.pairs[i];
		uint64_t both[3] = { hash, hash64(label->name), hash64(label->value) };
		hash = hash64(slice_make((const char *)both, sizeof(both)));
	}
	return hash;
}

static struct labels labels_without_bound(
		const struct sample *sample, struct slice bound_name, struct arena *arena)
{
	struct labels labels = { 0 };
	labels.pairs = arena_alloc(arena, (sample->labels.count + 1) * sizeof(struct label));
	for (size_t i = next_label(sample, bound_name, 0); i < sample->labels.count;
			i = next_label(sample, bound_name, i + 1)) {
		labels.pairs[labels.count++] = sample->labels.pairs[i];
	}
	return labels;
}

static struct metric *enter_metric(struct metrics *metrics, const struct sample *sample)
{
	uint64_t hash = hash_metric(sample, metrics->bound_name);
	struct map_node *node = map_first(&metrics->by_labels, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct metric *metric = MAP_ENTRY(node, struct metric, node);
		struct sample like = { .role = SAMPLE_SUM, .labels = metric->labels };
		if (same_metric(sample, &like, metrics->bound_name)) {
			return metric;
		}
	}
	struct metric *metric = arena_zalloc(metrics->arena, 1, sizeof(*metric));
	metric->labels = labels_without_bound(sample, metrics->bound_name, metrics->arena);
	metric->sum = SLICE("0");
	metric->count = SLICE("0");
	metrics->count += 2; /* each has a sum and a count */
	map_insert(&metrics->by_labels, &metric->node, hash);
	*metrics->last = metric;
	metrics->last = &metric->next;
	return metric;
}

static void add_bound(struct metric *metric, struct sample *sample, struct metrics *metrics)
{
	if (metric->bound_count == metric->bound_capacity) {
		size_t old_bytes = metric->bound_count * sizeof(struct sample *);
		metric->bound_capacity = metric->bound_capacity == 0 ? 8 : metric->bound_capacity * 2;
		metric->bounds = arena_grow(metrics->arena, metric->bounds, old_bytes,
				metric->bound_capacity * sizeof(struct sample *));
	}
	metric->bounds[metric->bound_count++] = sample;
	if (slice_equal(bound_of(sample, metrics->bound_name), SLICE("+Inf"))) {
		metric->infinite = sample;
	}
}

static void add_sample(struct metric *metric, struct sample *sample, struct metrics *metrics)
{
	switch (sample->role) {
	case SAMPLE_BUCKET:
	case SAMPLE_QUANTILE:
		add_bound(metric, sample, metrics);
		metrics->count++;
		break;
	case SAMPLE_SUM:
	case SAMPLE_GSUM:
		metric->sum = sample->value;
		metric->sum_line = sample->line;
		break;
	case SAMPLE_COUNT:
	case SAMPLE_GCOUNT:
		metric->count = sample->value;
		metric->count_line = sample->line;
		break;
	case SAMPLE_PLAIN:
		break;
	}
}

static bool gather(struct metrics *metrics, struct batch_family *family)
{
	for (size_t i = 0; i < family->sample_count && metrics->count <= metrics->most; i++) {
		struct sample *sample = &family->samples[i];
		add_sample(enter_metric(metrics, sample), sample, metrics);
	}
	return metrics->count <= metrics->most;
}

/* Bounds are normalised, so equal ones have equal texts. */
static struct sample *find_equal_bounds(const struct metric *metric, struct metrics *metrics)
{
	struct map seen;
	struct map_node *nodes =
			arena_alloc(metrics->arena, (metric->bound_count + 1) * sizeof(struct map_node));
	struct sample *found = NULL;
	map_init(&seen);
	for (size_t i = 0; i < metric->bound_count && found == NULL; i++) {
		struct slice bound = bound_of(metric->bounds[i], metrics->bound_name);
		uint64_t hash = hash64(bound);
		struct map_node *node = map_first(&seen, hash);
		for (; node != NULL && found == NULL; node = map_next(node, hash)) {
			struct sample *other = metric->bounds[node - nodes];
			if (slice_equal(bound_of(other, metrics->bound_name), bound)) {
				found = metric->bounds[i];
			}
		}
		map_insert(&seen, &nodes[i], hash);
	}
	map_finish(&seen);
	return found;
}

static void set_fault(struct batch *batch, struct batch_family *family, struct sample *sample,
		struct metrics *metrics)
{
	if (batch->fault.text.ptr != NULL) {
		return;
	}
	struct slice bound = bound_of(sample, metrics->bound_name);
	batch->fault.text = arena_printf(metrics->arena,
			"collected metric \"" SLICE_FMT "\" has two samples with " SLICE_FMT "=\"" SLICE_FMT
			"\" and otherwise the same labels",
			SLICE_ARG(family->name), SLICE_ARG(metrics->bound_name), SLICE_ARG(bound));
	batch->fault.leaves_trace = false;
}

static struct labels labels_with_infinity(const struct metric *metric, struct arena *arena)
{
	struct labels labels = { .count = metric->labels.count + 1 };
	labels.pairs = arena_alloc(arena, labels.count * sizeof(struct label));
	if (metric->labels.count > 0) {
		memcpy(labels.pairs, metric->labels.pairs, metric->labels.count * sizeof(struct label));
	}
	labels.pairs[metric->labels.count] =
			(struct label){ .name = SLICE("le"), .value = SLICE("+Inf") };
	labels_sort(&labels);
	return labels;
}

static void write_back(struct metrics *metrics, struct batch_family *family)
{
	struct arena *arena = metrics->arena;
	family->samples = NULL;
	family->sample_count = 0;
	family->sample_capacity = 0;
	for (struct metric *metric = metrics->first; metric != NULL; metric = metric->next) {
		for (size_t i = 0; i < metric->bound_count; i++) {
			*batch_family_add(family, arena) = *metric->bounds[i];
		}
		if (metric_type_is_histogram(family->type) && metric->infinite == NULL) {
			struct sample *infinite = batch_family_add(family, arena);
			infinite->role = SAMPLE_BUCKET;
			infinite->labels = labels_with_infinity(metric, arena);
			infinite->value = metric->count;
			sample_extend(infinite, arena)->is_added = true;
		}
		*batch_family_add(family, arena) = (struct sample){
			.role = SAMPLE_SUM,
			.line = metric->sum_line,
			.labels = metric->labels,
			.value = metric->sum,
		};
		*batch_family_add(family, arena) = (struct sample){
			.role = SAMPLE_COUNT,
			.line = metric->count_line,
			.labels = metric->labels,
			.value = metric->count,
		};
	}
}

bool complete_family(
		struct batch *batch, struct batch_family *family, size_t max_samples, struct arena *arena)
{
	struct metrics metrics = {
		.bound_name = family->type == METRIC_SUMMARY ? SLICE("quantile") : SLICE("le"),
		.most = max_samples,
		.arena = arena,
	};
	if (is_complete(family, metrics.bound_name)) {
		return true;
	}
	map_init(&metrics.by_labels);
	metrics.last = &metrics.first;
	bool is_within = gather(&metrics, family);
	for (struct metric *m = metrics.first; m != NULL && is_within; m = m->next) {
		struct sample *sample = find_equal_bounds(m, &metrics);
		if (sample != NULL) {
			set_fault(batch, family, sample, &metrics);
		}
	}
	if (is_within) {
		write_back(&metrics, family);
	}
	map_finish(&metrics.by_labels);
	return is_within;
}
