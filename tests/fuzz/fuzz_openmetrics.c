/*
 * A body in OpenMetrics. What is taken keeps the rules of a batch, and written
 * down again it is taken again, with the same samples. What is taken without
 * names in quotes is the same where they are allowed.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include "format/openmetrics_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct format_options plain = { .samples = 2000, .labels = 40, .label_bytes = 2000 };
static const struct format_options quoted = {
	.samples = 2000,
	.labels = 40,
	.label_bytes = 2000,
	.utf8_names = true,
};

/* Escaping makes names and values longer. */
static const struct format_options again = {
	.samples = 2000,
	.labels = 40,
	.label_bytes = 4100,
	.utf8_names = true,
};

static void expect(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

/* ---- The rules of a batch ---- */

static bool role_fits(enum metric_type type, enum sample_role role)
{
	switch (role) {
	case SAMPLE_PLAIN:
		return !metric_type_has_bounds(type);
	case SAMPLE_QUANTILE:
		return type == METRIC_SUMMARY;
	case SAMPLE_BUCKET:
		return type == METRIC_HISTOGRAM || type == METRIC_OPEN_GAUGE_HISTOGRAM;
	case SAMPLE_SUM:
	case SAMPLE_COUNT:
		return type == METRIC_HISTOGRAM || type == METRIC_SUMMARY;
	case SAMPLE_GSUM:
	case SAMPLE_GCOUNT:
		return type == METRIC_OPEN_GAUGE_HISTOGRAM;
	}
	return false;
}

static bool is_bound(const struct sample *sample)
{
	return sample->role == SAMPLE_BUCKET || sample->role == SAMPLE_QUANTILE;
}

static void check_bound(const struct batch_family *family, const struct sample *sample)
{
	struct slice bound = labels_find(&sample->labels, metric_type_bound_name(family->type));
	char shortest[NUMBER_TEXT_MAX];
	if (!is_bound(sample)) {
		expect(bound.ptr == NULL || !metric_type_has_bounds(family->type), "a bound too many");
		return;
	}
	expect(number_is_float(bound), "a bound that is no number");
	size_t len = number_format(number_value(bound), shortest);
	expect(slice_equal(bound, slice_make(shortest, len)), "a bound in a form of its own");
}

static void check_escaped(struct slice text)
{
	expect(utf8_is_valid(text), "not UTF-8");
	for (size_t i = 0; i < text.len; i++) {
		expect(text.ptr[i] != '\n' && text.ptr[i] != '"', "not escaped");
		if (text.ptr[i] == '\\') {
			i++;
			expect(i < text.len && strchr("\\n\"", text.ptr[i]) != NULL, "badly escaped");
		}
	}
}

static void check_sample(const struct batch_family *family, const struct sample *sample)
{
	expect(role_fits(family->type, sample->role), "a role that does not fit");
	expect(sample->line > 0, "no line");
	expect(number_is_float(sample->value), "a value that is no number");
	for (size_t i = 0; i < sample->labels.count; i++) {
		const struct label *label = &sample->labels.pairs[i];
		check_escaped(label->name);
		check_escaped(label->value);
		expect(label->name.len > 0, "a label without a name");
		expect(i == 0 || slice_compare(label[-1].name, label->name) < 0, "labels out of order");
	}
	check_bound(family, sample);
}

static void check_batch(const struct batch *batch)
{
	size_t families = 0;
	size_t samples = 0;
	expect(batch->is_openmetrics, "not said to be OpenMetrics");
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		expect(f->sample_count > 0, "a family without samples");
		check_escaped(f->name);
		expect(f->help.ptr == NULL || slice_find_byte(f->help, '\n') == NULL, "help of two lines");
		expect(f->type != METRIC_COUNTER || slice_ends_with(f->name, SLICE("_total")),
				"a counter without _total");
		expect(f->type != METRIC_INFO || slice_ends_with(f->name, SLICE("_info")),
				"an info without _info");
		for (size_t i = 0; i < f->sample_count; i++) {
			check_sample(f, &f->samples[i]);
		}
		families++;
		samples += f->sample_count;
	}
	expect(families == batch->family_count && samples == batch->sample_count, "wrong counts");
}

/* ---- Written down again ---- */

static struct slice family_name(const struct batch_family *family)
{
	size_t suffix = family->type == METRIC_COUNTER ? sizeof("_total") - 1
			: family->type == METRIC_INFO          ? sizeof("_info") - 1
												   : 0;
	return slice_first(family->name, family->name.len - suffix);
}

static void write_metadata(struct buf *out, const struct batch_family *family)
{
	struct slice name = family_name(family);
	struct slice type = metric_type_openmetrics_name(family->type);
	buf_append_string(out, "# TYPE \"");
	buf_append(out, name);
	buf_append_string(out, "\" ");
	buf_append(out, type);
	buf_append_byte(out, '\n');
	if (family->unit.ptr != NULL) {
		buf_append_string(out, "# UNIT \"");
		buf_append(out, name);
		buf_append_string(out, "\" ");
		buf_append(out, family->unit);
		buf_append_byte(out, '\n');
	}
	if (family->help.ptr != NULL) {
		buf_append_string(out, "# HELP \"");
		buf_append(out, name);
		buf_append_string(out, "\" ");
		buf_append(out, family->help);
		buf_append_byte(out, '\n');
	}
}

static void write_series(struct buf *out, struct slice name, struct slice suffix,
		const struct labels *labels, struct slice skipped)
{
	buf_append_string(out, "{\"");
	buf_append(out, name);
	buf_append(out, suffix);
	buf_append_byte(out, '"');
	for (size_t i = 0; i < labels->count; i++) {
		if (!slice_equal(labels->pairs[i].name, skipped)) {
			buf_append_string(out, ",\"");
			buf_append(out, labels->pairs[i].name);
			buf_append_string(out, "\"=\"");
			buf_append(out, labels->pairs[i].value);
			buf_append_byte(out, '"');
		}
	}
	buf_append_string(out, "} ");
}

static void write_sample(
		struct buf *out, const struct batch_family *family, const struct sample *sample)
{
	const struct sample_extra *extra = sample->extra;
	write_series(out, family->name, sample_suffix(sample->role), &sample->labels, SLICE(""));
	buf_append(out, sample->value);
	if (extra != NULL && extra->exemplar.len > 0) {
		buf_append_string(out, " # ");
		buf_append(out, extra->exemplar);
	}
	buf_append_byte(out, '\n');
	if (extra != NULL && extra->created.len > 0) {
		struct slice skipped = is_bound(sample) ? metric_type_bound_name(family->type) : SLICE("");
		write_series(out, family_name(family), SLICE("_created"), &sample->labels, skipped);
		buf_append(out, extra->created);
		buf_append_byte(out, '\n');
	}
}

static struct slice write_batch(const struct batch *batch, struct arena *arena)
{
	struct buf out;
	buf_init(&out, 0);
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		write_metadata(&out, f);
		for (size_t i = 0; i < f->sample_count; i++) {
			write_sample(&out, f, &f->samples[i]);
		}
	}
	buf_append_string(&out, "# EOF\n");
	struct slice copy = arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

static void check_written(const struct batch *batch, struct arena *arena)
{
	struct batch other;
	struct format_error error;
	struct slice text = write_batch(batch, arena);
	enum format_result result = openmetrics_parse(text, &again, arena, &other, &error);
	if (result != FORMAT_OK) {
		fprintf(stderr, "line %zu: %.*s\n%.*s", error.line, SLICE_ARG(error.what), SLICE_ARG(text));
	}
	expect(result == FORMAT_OK, "what was taken is not taken again");
	check_batch(&other);
	expect(slice_equal(write_batch(&other, arena), text), "what was taken is something else now");
}

/* ---- Inputs ---- */

static void check_error(const struct format_error *error, struct arena *arena)
{
	expect(error->line > 0 && error->what.len > 0, "an error without place or words");
	expect(utf8_is_valid(error->what) && utf8_is_valid(error->hint), "words that are not UTF-8");
	expect(error->column > 0 && error->column <= error->line_text.len + 1,
			"a place not in the line");
	format_error_excerpt(error, arena);
}

static void check_body(struct slice body, struct arena *arena)
{
	struct batch batch;
	struct batch quoted_batch;
	struct format_error error;
	enum format_result result = openmetrics_parse(body, &plain, arena, &batch, &error);
	if (result == FORMAT_E_SYNTAX) {
		check_error(&error, arena);
	}
	enum format_result quoted_result =
			openmetrics_parse(body, &quoted, arena, &quoted_batch, &error);
	if (quoted_result == FORMAT_E_SYNTAX) {
		check_error(&error, arena);
	}
	expect(result != FORMAT_OK || quoted_result == FORMAT_OK, "refused where more is allowed");
	if (result == FORMAT_OK) {
		check_batch(&batch);
		expect(slice_equal(write_batch(&batch, arena), write_batch(&quoted_batch, arena)),
				"something else where more is allowed");
	}
	if (quoted_result == FORMAT_OK) {
		check_batch(&quoted_batch);
		/* Without their times, several points of a metric are one series twice. */
		if (!quoted_batch.has_timestamps) {
			check_written(&quoted_batch, arena);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct arena arena;
	if (!is_ready) {
		hash_init();
		is_ready = true;
	}
	arena_init(&arena);
	/* A copy that ends where its memory does. */
	char *copy = memory_alloc(size + 1);
	if (size > 0) {
		memcpy(copy + 1, data, size);
	}
	check_body(slice_make(copy + 1, size), &arena);
	arena_finish(&arena);
	free(copy);
	return 0;
}
