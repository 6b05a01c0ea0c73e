#include "transfer/line_sample.h"

#include "base/hash.h"
#include "base/number.h"
#include "format/protobuf_native.h"
#include "state/record_check.h"
#include "store/ids.h"

/* ---- One sample ---- */

static bool read_role(
		struct line_reader *r, const cJSON *item, enum metric_type type, enum sample_role *ret_role)
{
	struct slice suffix;
	if (!line_read_text(r, item, "suffix", &suffix)) {
		return false;
	}
	*ret_role = type == METRIC_SUMMARY ? SAMPLE_QUANTILE : SAMPLE_PLAIN;
	for (int role = SAMPLE_BUCKET; role <= SAMPLE_GCOUNT && suffix.len > 0; role++) {
		if (slice_equal(suffix, sample_suffix((enum sample_role)role))) {
			*ret_role = (enum sample_role)role;
			suffix.len = 0;
		}
	}
	return (suffix.len == 0 && record_role_fits(type, *ret_role))
			|| line_fail_at(r, "suffix", suffix, "is none of its family's type");
}

/* Grouping labels are in each line in any case, and would be there twice. */
static bool check_labels(struct line_reader *r, const struct labels *labels)
{
	for (size_t i = 0; i < r->key->count; i++) {
		struct slice name = r->key->pairs[i].name;
		if (labels_find(labels, name).ptr != NULL) {
			return line_fail_at(
					r, "label", labels_unescape(r->arena, name), "is a grouping label already");
		}
	}
	return true;
}

static bool check_bound(struct line_reader *r, enum metric_type type, const struct sample *sample)
{
	char digits[NUMBER_TEXT_MAX];
	if (sample->role != SAMPLE_BUCKET && sample->role != SAMPLE_QUANTILE) {
		return true;
	}
	const char *name = type == METRIC_SUMMARY ? "quantile" : "le";
	struct slice bound = labels_find(&sample->labels, metric_type_bound_name(type));
	if (bound.ptr == NULL || !number_is_float(bound)) {
		return line_fail_at(r, name, bound, "is no number");
	}
	size_t len = number_format(number_value(bound), digits);
	return slice_equal(bound, slice_make(digits, len))
			|| line_fail_at(r, name, bound, "is not written in the shortest form, such as 0.5");
}

static bool read_value(struct line_reader *r, const cJSON *item, struct slice *ret_value)
{
	return line_read_text(r, item, "value", ret_value)
			&& ((ret_value->ptr != NULL && number_is_float(*ret_value))
					|| line_fail_at(r, "value", *ret_value, "is no number in a string"));
}

static bool read_extra(struct line_reader *r, const cJSON *exemplar, const cJSON *created,
		const cJSON *native, const cJSON *added, struct sample *sample)
{
	if (exemplar == NULL && created == NULL && native == NULL && added == NULL) {
		return true;
	}
	struct sample_extra *extra = sample_extend(sample, r->arena);
	return line_read_text(r, exemplar, "exemplar", &extra->exemplar)
			&& line_read_text(r, created, "created", &extra->created)
			&& line_read_base64(r, native, "native", &extra->native)
			&& line_read_flag(r, added, "added", &extra->is_added);
}

bool line_read_sample(
		struct line_reader *r, const cJSON *item, enum metric_type type, struct sample *sample)
{
	enum { SUFFIX, LABELS, VALUE, EXEMPLAR, CREATED, NATIVE, ADDED, COUNT };
	static const char *const names[COUNT] = { "suffix", "labels", "value", "exemplar", "created",
		"native", "added" };
	const cJSON *fields[COUNT];
	return line_read_fields(r, item, names, COUNT, fields)
			&& read_role(r, fields[SUFFIX], type, &sample->role)
			&& line_read_labels(r, fields[LABELS], "labels", &sample->labels)
			&& check_labels(r, &sample->labels) && check_bound(r, type, sample)
			&& read_value(r, fields[VALUE], &sample->value)
			&& read_extra(
					r, fields[EXEMPLAR], fields[CREATED], fields[NATIVE], fields[ADDED], sample);
}

/* ---- All of a family ---- */

static bool check_extra(struct line_reader *r, enum metric_type type, const struct sample *sample,
		const struct sample *next)
{
	const struct sample_extra *extra = sample->extra;
	const struct slice none = slice_make(NULL, 0);
	bool may_have_exemplar = type == METRIC_COUNTER || sample->role == SAMPLE_BUCKET;
	bool is_last = record_ends_metric(type, sample, next);
	if (extra->exemplar.len > 0 && !may_have_exemplar) {
		return line_fail_at(r, "exemplar", none, "can only be with a counter or a bucket");
	}
	if (extra->exemplar.len > 0 && !record_text_is_exemplar(extra->exemplar)) {
		return line_fail_at(r, "exemplar", extra->exemplar, "is none, such as {id=\"x\"} 0.5");
	}
	if (extra->created.len > 0 && !record_text_is_real(extra->created)) {
		return line_fail_at(r, "created", extra->created, "is no time");
	}
	if (extra->created.len > 0 && !is_last) {
		return line_fail_at(r, "created", none, "can only be with a metric's last sample");
	}
	if (extra->native.len > 0
			&& !(is_last && metric_type_is_histogram(type) && sample->role == SAMPLE_COUNT)) {
		return line_fail_at(r, "native", none, "can only be with a histogram's last sample");
	}
	if (extra->native.len > 0 && !native_is_right(extra->native, sample->value)) {
		return line_fail_at(r, "native", none, "is no native histogram of that count");
	}
	return !extra->is_added || sample->role == SAMPLE_BUCKET
			|| line_fail_at(r, "added", none, "can only be with a bucket");
}

/* Of the labels that a metric's lines have in common; a label without a value is none. */
static uint32_t hash_metric(enum metric_type type, const struct labels *labels)
{
	struct slice bound = metric_type_bound_name(type);
	uint64_t hash = 0;
	for (size_t j = 0; j < labels->count; j++) {
		const struct label *label = &labels->pairs[j];
		if (label->value.len > 0 && !slice_equal(label->name, bound)) {
			uint64_t both[3] = { hash, hash64(label->name), hash64(label->value) };
			hash = hash64(slice_make((const char *)both, sizeof(both)));
		}
	}
	return (uint32_t)hash;
}

struct apart {
	const struct batch_family *family;
	const uint32_t *firsts;
	uint32_t sample;
};

static bool on_same_hash(void *data, uint32_t number, uint32_t other)
{
	struct apart *apart = data;
	const struct sample *samples = apart->family->samples;
	apart->sample = apart->firsts[number];
	return !record_ends_metric(
			apart->family->type, &samples[apart->firsts[number]], &samples[apart->firsts[other]]);
}

/* Formats with structure read a metric line after line. */
static bool check_together(struct line_reader *r, const struct batch_family *family)
{
	if (!metric_type_has_bounds(family->type)) {
		return true;
	}
	uint32_t *runs = arena_alloc(r->arena, family->sample_count * sizeof(uint32_t));
	uint32_t *firsts = arena_alloc(r->arena, family->sample_count * sizeof(uint32_t));
	struct apart apart = { .family = family, .firsts = firsts };
	size_t count = 0;
	for (size_t i = 0; i < family->sample_count; i++) {
		uint32_t hash = hash_metric(family->type, &family->samples[i].labels);
		if (count == 0 || runs[count - 1] != hash) {
			firsts[count] = (uint32_t)i;
			runs[count++] = hash;
		}
	}
	if (!ids_find_repeated(runs, count, r->arena, on_same_hash, &apart)) {
		return true;
	}
	r->sample = apart.sample + 1;
	return line_fail(r, "it is not beside the other samples of its metric");
}

bool line_check_samples(struct line_reader *r, const struct batch_family *family)
{
	for (size_t i = 0; i < family->sample_count; i++) {
		const struct sample *next = i + 1 < family->sample_count ? &family->samples[i + 1] : NULL;
		r->sample = i + 1;
		if (family->samples[i].extra != NULL
				&& !check_extra(r, family->type, &family->samples[i], next)) {
			return false;
		}
	}
	return check_together(r, family);
}
