#pragma once

/*
 * Random pushes over a small alphabet of keys, labels, names and types, so
 * that types, suffixes and series clash all the time. Every other push under a
 * key has the same lines as the one before, with other values.
 */

#include "unit/random.h"
#include "unit/store_driver.h"
#include "unit/store_model.h"

static const char *const model_keys[] = { "job=a", "job=b", "job=a,instance=", "job=a,instance=i",
	"job=a,zone=n", "job=a,zone=", "job=b,instance=i", "job=b,instance=i,zone=n", "job=b,zone=n",
	"job=a,le=1", "job=b,quantile=1", "job=a,instance=i,zone=" };

static const char *const model_label_sets[] = { "", "", "zone=n", "zone=", "zone=s", "instance=i",
	"instance=j", "job=b", "x=1", "x=2", "x=", "instance=i,zone=n", "x=1,zone=n", "le=5", "__r=1",
	"x=long" };

static const struct {
	const char *name;
	enum metric_type types[3];
} model_family_kinds[] = {
	{ "m", { METRIC_GAUGE, METRIC_COUNTER, METRIC_UNTYPED } },
	{ "n", { METRIC_GAUGE, METRIC_GAUGE, METRIC_COUNTER } },
	{ "h", { METRIC_HISTOGRAM, METRIC_GAUGE_HISTOGRAM, METRIC_GAUGE } },
	{ "h_count", { METRIC_UNTYPED, METRIC_UNTYPED, METRIC_SUMMARY } },
	{ "h_bucket", { METRIC_UNTYPED, METRIC_UNTYPED, METRIC_UNTYPED } },
	{ "s", { METRIC_SUMMARY, METRIC_SUMMARY, METRIC_HISTOGRAM } },
	{ "s_sum", { METRIC_GAUGE, METRIC_GAUGE, METRIC_GAUGE } },
	{ "go_threads", { METRIC_GAUGE, METRIC_GAUGE, METRIC_COUNTER } },
	{ "push_time_seconds", { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM } },
	{ "z", { METRIC_UNTYPED, METRIC_UNTYPED, METRIC_UNTYPED } },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(random, array) ((array)[random_below(random, COUNT(array))])

struct model_push {
	const char *key;
	enum store_method method;
	struct batch batch;
	struct body_layout layout;
	struct slice *values;
};

struct model_source {
	struct store_driver *driver;
	struct random_source *random;
	unsigned next_value; /* each value is another, so that lines can be told apart */
	struct slice long_value;
	struct model_push last[COUNT(model_keys)]; /* pushed under each key, to be pushed again */
};

static inline struct slice model_make_value(
		struct model_source *source, enum metric_type type, enum sample_role role)
{
	bool may_be_negative = role == SAMPLE_SUM || role == SAMPLE_PLAIN;
	const char *sign = may_be_negative && random_once_in(source->random, 8) ? "-" : "";
	unsigned value = source->next_value++ * (random_once_in(source->random, 4) ? 1 : 1000);
	return arena_printf(&source->driver->arena, "%s%u", sign, value * 10 + 1);
}

static inline void model_add_sample(struct model_source *source, struct batch_family *family,
		enum sample_role role, struct labels labels, const char *bound)
{
	struct arena *arena = &source->driver->arena;
	struct sample *sample = batch_family_add(family, arena);
	sample->role = role;
	sample->labels.pairs = arena_alloc(arena, (labels.count + 1) * sizeof(struct label));
	memcpy(sample->labels.pairs, labels.pairs, labels.count * sizeof(struct label));
	sample->labels.count = labels.count;
	if (bound != NULL) {
		sample->labels.pairs[sample->labels.count++] = (struct label){
			.name = role == SAMPLE_BUCKET ? SLICE("le") : SLICE("quantile"),
			.value = slice_of_string(bound),
		};
	}
	labels_sort(&sample->labels);
	sample->value = model_make_value(source, family->type, role);
}

/* The lines of one metric. */
static inline void model_add_metric(struct model_source *source, struct batch_family *family)
{
	struct labels labels =
			store_driver_key(source->driver, PICK(source->random, model_label_sets)).labels;
	for (size_t i = 0; i < labels.count; i++) {
		if (slice_equal(labels.pairs[i].value, SLICE("long"))) {
			labels.pairs[i].value = source->long_value;
		}
	}
	bool is_histogram = metric_type_is_histogram(family->type);
	if (!is_histogram && family->type != METRIC_SUMMARY) {
		model_add_sample(source, family, SAMPLE_PLAIN, labels, NULL);
		return;
	}
	if (is_histogram && labels_find(&labels, SLICE("le")).ptr != NULL) {
		labels.count = 0; /* a decoder never lets that through */
	}
	if (is_histogram) {
		model_add_sample(source, family, SAMPLE_BUCKET, labels, "1");
		model_add_sample(source, family, SAMPLE_BUCKET, labels, "+Inf");
	} else {
		model_add_sample(source, family, SAMPLE_QUANTILE, labels, "0.5");
	}
	model_add_sample(source, family, SAMPLE_SUM, labels, NULL);
	model_add_sample(source, family, SAMPLE_COUNT, labels, NULL);
}

static inline void model_make_batch(struct model_source *source, struct batch *batch)
{
	struct batch_family **link = &batch->families;
	bool is_used[COUNT(model_family_kinds)] = { false };
	*batch = (struct batch){ .has_timestamps = random_once_in(source->random, 40) };
	for (unsigned left = random_below(source->random, 5); left > 0; left--) {
		size_t kind = random_below(source->random, COUNT(model_family_kinds));
		if (is_used[kind]) {
			continue;
		}
		is_used[kind] = true;
		struct batch_family *family = arena_zalloc(&source->driver->arena, 1, sizeof(*family));
		family->name = slice_of_string(model_family_kinds[kind].name);
		family->type = PICK(source->random, model_family_kinds[kind].types);
		static const char *const helps[] = { "Help a", "Help b", "Help c", "" };
		if (random_once_in(source->random, 2)) {
			family->help = slice_of_string(PICK(source->random, helps));
		}
		for (unsigned metrics = 1 + random_below(source->random, 3) / 2; metrics > 0; metrics--) {
			model_add_metric(source, family);
		}
		*link = family;
		link = &family->next;
		batch->family_count++;
		batch->sample_count += family->sample_count;
	}
}

/* Other values for the same lines. */
static inline void model_change_values(struct model_source *source, struct batch *batch)
{
	struct batch_family **link = &batch->families;
	for (struct batch_family *old = batch->families; old != NULL; old = old->next) {
		struct batch_family *family = arena_alloc(&source->driver->arena, sizeof(*family));
		*family = *old;
		family->samples = arena_grow(&source->driver->arena, old->samples,
				old->sample_count * sizeof(struct sample),
				old->sample_count * sizeof(struct sample));
		for (size_t i = 0; i < family->sample_count; i++) {
			family->samples[i].value =
					model_make_value(source, family->type, family->samples[i].role);
		}
		*link = family;
		link = &family->next;
	}
}

/* All but the values, hashed, and the values in order. */
static inline void model_make_layout(struct model_source *source, struct model_push *push)
{
	struct buf skeleton;
	size_t count = 0;
	buf_init(&skeleton, 0);
	push->values = arena_alloc(
			&source->driver->arena, (push->batch.sample_count + 1) * sizeof(struct slice));
	push->layout.is_known = !push->batch.has_timestamps;
	for (const struct batch_family *f = push->batch.families; f != NULL; f = f->next) {
		buf_printf(&skeleton, SLICE_FMT " %d %d " SLICE_FMT "\n", SLICE_ARG(f->name), f->type,
				f->help.ptr != NULL, SLICE_ARG(f->help));
		push->layout.is_known &= !model_is_computed(f->name);
		for (size_t i = 0; i < f->sample_count; i++) {
			model_append_series(
					&skeleton, f->name, sample_suffix(f->samples[i].role), &f->samples[i].labels);
			push->values[count++] = f->samples[i].value;
		}
	}
	push->layout.hash = hash128(buf_slice(&skeleton));
	buf_finish(&skeleton);
}

static inline void model_make_push(struct model_source *source, struct model_push *push)
{
	size_t key = random_below(source->random, COUNT(model_keys));
	bool is_again = source->last[key].key != NULL && random_once_in(source->random, 2);
	*push = is_again ? source->last[key] : (struct model_push){ .key = model_keys[key] };
	push->method = random_once_in(source->random, 2) ? STORE_PUT : STORE_POST;
	if (is_again) {
		model_change_values(source, &push->batch);
	} else {
		model_make_batch(source, &push->batch);
	}
	model_make_layout(source, push);
	source->last[key] = *push;
}
