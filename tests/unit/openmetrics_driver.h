#pragma once

/*
 * Bodies of OpenMetrics for tests. In the cases a single quote stands for a
 * double one, and "# EOF" is added; every body ends where the readable memory
 * does. A batch as text:
 *
 *     timestamps                                    if there are any
 *     h_seconds histogram unit=seconds help=Help.
 *       h_seconds_bucket{a=b,le=1} 5 # {trace_id="x"} 0.5
 *       h_seconds_count{a=b} 7 created=123.5
 */

#include "base/buf.h"
#include "check.h"
#include "format/openmetrics_parse.h"
#include "guard.h"

enum { OPENMETRICS_BODY_MAX = 1 << 20 };

struct openmetrics_driver {
	struct guard guard;
	struct arena arena;
	struct format_options options;
	struct batch batch;
	struct format_error error;
};

static inline void openmetrics_driver_init(struct openmetrics_driver *driver)
{
	*driver = (struct openmetrics_driver){
		.options = { .samples = 1000, .labels = 20, .label_bytes = 1000 },
	};
	guard_init(&driver->guard, OPENMETRICS_BODY_MAX);
	arena_init(&driver->arena);
}

static inline void openmetrics_driver_finish(struct openmetrics_driver *driver)
{
	arena_finish(&driver->arena);
	guard_finish(&driver->guard);
}

/* The body as it is. */
static inline enum format_result openmetrics_try(
		struct openmetrics_driver *driver, struct slice body)
{
	arena_reset(&driver->arena);
	driver->error = (struct format_error){ 0 };
	return openmetrics_parse(guard_copy(&driver->guard, body), &driver->options, &driver->arena,
			&driver->batch, &driver->error);
}

/* The body of a case. */
static inline enum format_result openmetrics_try_case(
		struct openmetrics_driver *driver, const char *text)
{
	struct buf body;
	buf_init(&body, 0);
	for (const char *c = text; *c != '\0'; c++) {
		buf_append_byte(&body, *c == '\'' ? '"' : *c);
	}
	buf_append_string(&body, "# EOF\n");
	enum format_result result = openmetrics_try(driver, buf_slice(&body));
	buf_finish(&body);
	return result;
}

/* ---- Batches as text ---- */

static inline void openmetrics_dump_sample(
		struct buf *out, const struct batch_family *family, const struct sample *sample)
{
	buf_append(out, SLICE("  "));
	buf_append(out, family->name);
	buf_append(out, sample_suffix(sample->role));
	buf_append_byte(out, '{');
	for (size_t i = 0; i < sample->labels.count; i++) {
		buf_append_string(out, i == 0 ? "" : ",");
		buf_append(out, sample->labels.pairs[i].name);
		buf_append_byte(out, '=');
		buf_append(out, sample->labels.pairs[i].value);
	}
	buf_append(out, SLICE("} "));
	buf_append(out, sample->value);
	if (sample->extra != NULL && sample->extra->exemplar.len > 0) {
		buf_append(out, SLICE(" # "));
		buf_append(out, sample->extra->exemplar);
	}
	if (sample->extra != NULL && sample->extra->created.len > 0) {
		buf_append(out, SLICE(" created="));
		buf_append(out, sample->extra->created);
	}
	buf_append_byte(out, '\n');
}

static inline void openmetrics_dump_family(struct buf *out, const struct batch_family *family)
{
	buf_append(out, family->name);
	buf_append_byte(out, ' ');
	buf_append(out, metric_type_openmetrics_name(family->type));
	if (family->unit.ptr != NULL) {
		buf_append(out, SLICE(" unit="));
		buf_append(out, family->unit);
	}
	if (family->help.ptr != NULL) {
		buf_append(out, SLICE(" help="));
		buf_append(out, family->help);
	}
	buf_append_byte(out, '\n');
	for (size_t i = 0; i < family->sample_count; i++) {
		openmetrics_dump_sample(out, family, &family->samples[i]);
	}
}

static inline struct slice openmetrics_dump(struct openmetrics_driver *driver)
{
	const struct batch *batch = &driver->batch;
	struct buf out;
	size_t family_count = 0;
	size_t sample_count = 0;
	buf_init(&out, 0);
	buf_append_string(&out, batch->has_timestamps ? "timestamps\n" : "");
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		openmetrics_dump_family(&out, f);
		family_count++;
		sample_count += f->sample_count;
	}
	if (family_count != batch->family_count || sample_count != batch->sample_count) {
		buf_append(&out, SLICE("counts that are wrong\n"));
	}
	struct slice copy = out.len == 0 ? SLICE("") : arena_copy(&driver->arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

/* ---- Cases ---- */

struct openmetrics_good {
	const char *body;
	const char *dump;
};

static inline void openmetrics_check_good(
		struct openmetrics_driver *driver, const struct openmetrics_good *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int failures = check_failures;
		CHECK_INT(openmetrics_try_case(driver, cases[i].body), FORMAT_OK);
		if (failures == check_failures) {
			CHECK(driver->batch.is_openmetrics);
			CHECK_STRING(openmetrics_dump(driver), cases[i].dump);
		} else {
			CHECK_STRING(driver->error.what, "");
		}
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].body);
		}
	}
}

struct openmetrics_bad {
	const char *body;
	size_t line;
	size_t column;
	const char *what;
};

static inline void openmetrics_check_bad(
		struct openmetrics_driver *driver, const struct openmetrics_bad *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int failures = check_failures;
		CHECK_INT(openmetrics_try_case(driver, cases[i].body), FORMAT_E_SYNTAX);
		CHECK_INT(driver->error.line, cases[i].line);
		CHECK_INT(driver->error.column, cases[i].column);
		CHECK_STRING(driver->error.what, cases[i].what);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].body);
		}
	}
}
