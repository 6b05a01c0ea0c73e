/*
 * Writing protobuf: what samples come to, byte by byte, and that what is
 * written is read as what it was.
 */

#include <math.h>

#include "base/hash.h"
#include "base/number.h"
#include "check.h"
#include "format/protobuf_exemplar.h"
#include "format/protobuf_parse.h"
#include "unit/protobuf_batch.h"
#include "unit/protobuf_dump.h"
#include "unit/protobuf_text.h"

static const struct format_options limits = {
	.samples = 10000,
	.labels = 100,
	.label_bytes = 10000,
};

static struct arena arena;

static struct slice take(struct buf *out)
{
	struct slice copy = out->len == 0 ? SLICE("") : arena_copy(&arena, buf_slice(out));
	buf_finish(out);
	return copy;
}

static struct slice write_batch(const struct batch *batch)
{
	struct buf out;
	buf_init(&out, 0);
	protobuf_batch_append(&out, batch);
	return take(&out);
}

static struct batch parse(struct slice body)
{
	struct batch batch;
	struct format_error error = { 0 };
	CHECK_INT(protobuf_parse(body, &limits, &arena, &batch, &error), FORMAT_OK);
	CHECK_STRING(error.what, "");
	return batch;
}

/* ---- Bodies that come back ---- */

struct page_case {
	const char *body; /* see protobuf_text.h */
	const char *page; /* likewise; NULL: the same */
};

static void test_pages(void)
{
	static const struct page_case cases[] = {
		{ "", NULL },
		{ "1:\"m\" 3:1 4:{1:{1:\"a\" 2:\"b\"} 2:{1:1.5}} 4:{2:{1:nan}}", NULL },
		{ "1:\"m\" 2:\"He\\x5clp\\x0a.\" 3:3 4:{5:{1:-inf}}|1:\"n_s\" 3:1 5:\"s\" 4:{2:{1:0.0}}",
				NULL },
		{ "4:{3:{1:7.0}} 1:\"m\"", "1:\"m\" 3:0 4:{3:{1:7.0}}" },
		/* Names and values are what they were before they were escaped. */
		{ "1:\"a\\x22b\" 3:1 4:{1:{1:\"x\\x5c\" 2:\"\\x0a\\x22\"} 2:{1:1.0}}", NULL },
		/* Units that the name does not end with. */
		{ "1:\"m_s_total\" 3:0 5:\"s\" 4:{3:{1:0.0}}", NULL },
		{ "1:\"m_s_total\" 3:1 5:\"s\" 4:{2:{1:0.0}}", "1:\"m_s_total\" 3:1 4:{2:{1:0.0}}" },
		{ "1:\"m_total\" 3:0 5:\"s\" 4:{3:{1:0.0}}", "1:\"m_total\" 3:0 4:{3:{1:0.0}}" },
		{ "1:\"s\" 3:1 5:\"s\" 4:{2:{1:0.0}}", "1:\"s\" 3:1 4:{2:{1:0.0}}" },
		{ "1:\"_s\" 3:1 5:\"s\" 4:{2:{1:0.0}}", NULL },
		{ "1:\"ms\" 3:1 5:\"s\" 4:{2:{1:0.0}}", "1:\"ms\" 3:1 4:{2:{1:0.0}}" },
		/* Exemplars and times. */
		{ "1:\"m\" 3:0 4:{3:{1:1.0 2:{1:{1:\"a\" 2:\"\\x22,} \"} 1:{1:\"b\" 2:\"\"} 2:0.5 "
		  "3:{1:1520879607 2:789000000}} 3:{1:-1 2:1}}}",
				NULL },
		{ "1:\"m\" 3:0 4:{3:{1:1.0 2:{2:nan 3:{1:-1 2:500000000}} 3:{1:-62135596800 2:1}}}", NULL },
		{ "1:\"m\" 3:0 4:{3:{1:1.0 2:{2:inf} 3:{1:253402300799 2:999999999}}}", NULL },
		/* Summaries. */
		{ "1:\"s\" 3:2 4:{1:{1:\"a\" 2:\"b\"} 1:{1:\"z\" 2:\"y\"} 4:{1:18446744073709551615 2:1.5 "
		  "3:{1:0.9 2:2.0} 3:{1:0.5 2:nan} 4:{1:5}}}",
				NULL },
		/* Histograms. */
		{ "1:\"h\" 3:4 4:{1:{1:\"a\" 2:\"b\"} 7:{1:20 2:99.5 3:{1:17 2:5.0 3:{2:1.0 3:{1:5}}} "
		  "3:{1:3 2:2.5} 3:{1:20 2:inf} 15:{1:5}}}",
				NULL },
		/* Without the bucket that only lines have. */
		{ "1:\"h\" 3:5 4:{7:{1:20 2:99.5 3:{1:3 2:2.5}}}", NULL },
		/* Floats: as they came, also when they are whole. */
		{ "1:\"h\" 3:4 4:{7:{2:1.0 3:{4:1.5 2:1.0} 3:{4:2.0 2:inf} 4:2.0}}", NULL },
		/* Native ones, likewise. */
		{ "1:\"h\" 3:4 4:{7:{1:4 2:3.0 5:~1 12:{1:~0 2:2} 13:[~2 ~0]}}", NULL },
		{ "1:\"h\" 3:4 4:{7:{2:99.23 4:20.0 5:~1 9:{1:~0 2:2} 9:{1:~0 2:2} 11:2.0 11:2.0 11:-2.0 "
		  "11:0.0 12:{1:~0 2:2} 12:{1:~0 2:2} 14:2.0 14:2.0 14:-2.0 14:0.0}}",
				NULL },
		{ "1:\"h\" 3:4 4:{7:{2:3.0 4:4.0 1:4 6:0.001 8:1.0}}",
				"1:\"h\" 3:4 4:{7:{2:3.0 4:4.0 6:0.001 8:1.0 1:4}}" },
		/* That bucket, when it says something. */
		{ "1:\"h\" 3:4 4:{7:{1:4 2:3.0 3:{1:3 2:inf} 5:~1 12:{}}}", NULL },
		{ "1:\"h\" 3:4 4:{7:{1:4 2:3.0 3:{1:4 2:inf 3:{2:1.0}} 5:~1 12:{}}}", NULL },
		{ "1:\"h\" 3:4 4:{7:{1:4 2:3.0 3:{1:3 2:5.0} 3:{1:4 2:inf} 5:~1 12:{} 16:{2:1.0 3:{1:1}}}}",
				NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int failures = check_failures;
		arena_reset(&arena);
		struct slice body = protobuf_text_body(&arena, cases[i].body);
		struct batch batch = parse(body);
		struct slice dump = protobuf_dump(&batch, &arena);
		struct slice page = write_batch(&batch);
		CHECK_SLICE(page, cases[i].page == NULL ? body : protobuf_text_body(&arena, cases[i].page));
		batch = parse(page);
		if (cases[i].page == NULL) {
			CHECK_SLICE(protobuf_dump(&batch, &arena), dump);
		}
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].body);
		}
	}
}

/* ---- What Prometheus 3 takes ---- */

static void test_soundness(void)
{
	static const struct {
		const char *fields; /* of a histogram */
		bool is_sound;
	} cases[] = {
		{ "1:3 2:1.0", true },
		{ "1:3 2:1.0 5:~1", true },
		{ "1:3 2:1.0 6:0.1 7:3", true },
		{ "1:4 2:1.0 6:0.1 7:3", false },
		{ "1:4 2:nan 6:0.1 7:3", true },
		{ "1:6 2:1.0 7:1 9:{2:1} 10:~2 12:{2:2} 13:[~1 ~1]", true },
		{ "1:7 2:1.0 7:1 9:{2:1} 10:~2 12:{2:2} 13:[~1 ~1]", false },
		{ "4:6.0 12:{2:2} 14:[1.0 2.0]", true },
		{ "4:6.0 12:{2:2} 14:[1.0 -2.0]", false },
		{ "4:6.0 9:{2:2} 11:[-1.0 2.0]", false },
		{ "4:6.0 9:{2:2} 11:[-0.0 nan]", true },
		{ "4:6.0 3:{2:1.0 4:-5.0}", true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		arena_reset(&arena);
		snprintf(text, sizeof(text), "1:\"h\" 3:4 4:{7:{%s}}", cases[i].fields);
		struct batch batch = parse(protobuf_text_body(&arena, text));
		const struct batch_family *family = batch.families;
		CHECK_INT(protobuf_metric_is_sound(family->type, family->samples, family->sample_count),
				cases[i].is_sound);
	}
}

/* ---- Samples of other formats ---- */

static struct sample make_sample(enum sample_role role, const char *bound, const char *value)
{
	struct sample sample = { .role = role, .value = slice_of_string(value) };
	sample.labels.pairs = arena_alloc(&arena, 2 * sizeof(struct label));
	sample.labels.pairs[sample.labels.count++] = (struct label){ SLICE("a"), SLICE("b") };
	if (bound != NULL) {
		struct slice name = role == SAMPLE_QUANTILE ? SLICE("quantile") : SLICE("le");
		sample.labels.pairs[sample.labels.count++] = (struct label){ name, slice_of_string(bound) };
	}
	return sample;
}

static void check_metric(
		enum metric_type type, const struct sample *samples, size_t count, const char *message)
{
	struct buf out;
	struct buf wanted;
	buf_init(&out, 0);
	buf_init(&wanted, 0);
	protobuf_append_metric(&out, type, samples, count);
	protobuf_text_message(&wanted, message, '\0');
	CHECK_SLICE(buf_slice(&out), buf_slice(&wanted));
	buf_finish(&out);
	buf_finish(&wanted);
}

static void test_values(void)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "0", "4:{1:{1:\"a\" 2:\"b\"} 2:{1:0.0}}" },
		{ "123456789012345", "4:{1:{1:\"a\" 2:\"b\"} 2:{1:123456789012345.0}}" },
		{ "1234567890123456789", "4:{1:{1:\"a\" 2:\"b\"} 2:{1:1234567890123456789.0}}" },
		{ "007", "4:{1:{1:\"a\" 2:\"b\"} 2:{1:7.0}}" },
		{ "+1e3", "4:{1:{1:\"a\" 2:\"b\"} 2:{1:1000.0}}" },
		{ "-.5", "4:{1:{1:\"a\" 2:\"b\"} 2:{1:-0.5}}" },
		{ "Infinity", "4:{1:{1:\"a\" 2:\"b\"} 2:{1:inf}}" },
		{ "nan", "4:{1:{1:\"a\" 2:\"b\"} 2:{1:nan}}" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		arena_reset(&arena);
		struct sample sample = make_sample(SAMPLE_PLAIN, NULL, cases[i].text);
		check_metric(METRIC_GAUGE, &sample, 1, cases[i].message);
		check_metric(METRIC_INFO, &sample, 1, cases[i].message);
		check_metric(METRIC_STATESET, &sample, 1, cases[i].message);
	}
}

static void test_incomplete(void)
{
	arena_reset(&arena);
	struct sample histogram[] = {
		make_sample(SAMPLE_BUCKET, "1", "2"),
		make_sample(SAMPLE_BUCKET, "+Inf", "17.0"),
		make_sample(SAMPLE_GSUM, NULL, "-5"),
		make_sample(SAMPLE_GCOUNT, NULL, "1.9e1"),
	};
	/* Without sum and count the count is that of +Inf. */
	check_metric(METRIC_OPEN_GAUGE_HISTOGRAM, histogram, 2,
			"4:{1:{1:\"a\" 2:\"b\"} 7:{1:17 3:{1:2 2:1.0} 3:{1:17 2:inf}}}");
	check_metric(METRIC_OPEN_GAUGE_HISTOGRAM, histogram, 4,
			"4:{1:{1:\"a\" 2:\"b\"} 7:{1:19 2:-5.0 3:{1:2 2:1.0} 3:{1:17 2:inf}}}");
	/* Counts that are not whole. */
	histogram[0].value = SLICE("2.5");
	histogram[3].value = SLICE("1e30");
	check_metric(METRIC_HISTOGRAM, histogram, 4,
			"4:{1:{1:\"a\" 2:\"b\"} 7:{4:1000000000000000000000000000000.0 2:-5.0 3:{4:2.5 2:1.0} "
			"3:{1:17 2:inf}}}");
	struct sample summary[] = {
		make_sample(SAMPLE_QUANTILE, "0.5", "2"),
		make_sample(SAMPLE_SUM, NULL, "7"),
		make_sample(SAMPLE_COUNT, NULL, "4.7"),
	};
	check_metric(METRIC_SUMMARY, summary, 1, "4:{1:{1:\"a\" 2:\"b\"} 4:{3:{1:0.5 2:2.0}}}");
	check_metric(METRIC_SUMMARY, summary + 1, 1, "4:{1:{1:\"a\" 2:\"b\"} 4:{2:7.0}}");
	check_metric(
			METRIC_SUMMARY, summary, 3, "4:{1:{1:\"a\" 2:\"b\"} 4:{1:4 2:7.0 3:{1:0.5 2:2.0}}}");
	summary[2].value = SLICE("18446744073709551616");
	check_metric(
			METRIC_SUMMARY, summary + 2, 1, "4:{1:{1:\"a\" 2:\"b\"} 4:{1:9223372036854775808}}");
}

/* What OpenMetrics wrote about exemplars and times. */
static void test_texts(void)
{
	static const struct {
		const char *exemplar;
		const char *created;
		const char *message; /* of the counter, behind its value */
	} cases[] = {
		{ "{} 1", "1.5e9", "2:{2:1.0} 3:{1:1500000000}" },
		{ "{a=\"b\"} 0x1", "nan", "" },
		{ "{a=\"\\\\\\\"\\n\",\"c.d\"=\"e\"} +1.5 -1.25e0", "-0.5",
				"2:{1:{1:\"a\" 2:\"\\x5c\\x22\\x0a\"} 1:{1:\"c.d\" 2:\"e\"} 2:1.5 3:{1:-2 "
				"2:750000000}} 3:{1:-1 2:500000000}" },
		{ "{} NaN 1.0000000019", "5.", "2:{2:nan 3:{1:1 2:1}} 3:{1:5}" },
		{ "{} 1 1e300", "999999999999999999999999", "2:{2:1.0}" },
		{ "{a=\"b", "-", "" },
		{ "{a", ".5", "3:{1:0 2:500000000}" },
		{ "{", "", "" },
		{ "", "1 ", "" },
		{ "{a=\"b\"}", "--1", "" },
		{ "{a=\"b\"} ", "1.5.5", "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char message[256];
		int failures = check_failures;
		arena_reset(&arena);
		struct sample sample = make_sample(SAMPLE_PLAIN, NULL, "1");
		struct sample_extra *extra = sample_extend(&sample, &arena);
		extra->exemplar = slice_of_string(cases[i].exemplar);
		extra->created = slice_of_string(cases[i].created);
		snprintf(
				message, sizeof(message), "4:{1:{1:\"a\" 2:\"b\"} 3:{1:1.0 %s}}", cases[i].message);
		check_metric(METRIC_COUNTER, &sample, 1, message);
		if (failures != check_failures) {
			fprintf(stderr, "of %s and %s\n", cases[i].exemplar, cases[i].created);
		}
	}
}

/* Lengths of one, two and three bytes in front. */
static void test_lengths(void)
{
	for (size_t len = 0; len < 20000; len += len < 300 ? 1 : 701) {
		struct buf page;
		arena_reset(&arena);
		char *text = arena_text(&arena, len + 1);
		memset(text, 'x', len);
		struct sample sample = make_sample(SAMPLE_PLAIN, NULL, "1");
		sample.labels.pairs[0].value = slice_make(text, len);
		buf_init(&page, 0);
		struct buf metric;
		buf_init(&metric, 0);
		protobuf_append_metric(&metric, METRIC_GAUGE, &sample, 1);
		buf_append_byte(&page, '\0'); /* something is there already */
		protobuf_append_family_head(
				&page, SLICE("m"), slice_make(text, len), METRIC_GAUGE, SLICE(""), metric.len);
		buf_append(&page, buf_slice(&metric));
		struct format_options wide = { .samples = 1, .labels = 1, .label_bytes = 20000 };
		struct batch batch;
		struct format_error error;
		CHECK_INT(protobuf_parse(buf_slice(&page), &wide, &arena, &batch, &error), FORMAT_OK);
		CHECK_INT(batch.families->samples[0].labels.pairs[0].value.len, len);
		CHECK_INT(batch.families->help.len, len);
		buf_finish(&metric);
		buf_finish(&page);
	}
}

/* A buffer with a cap only fails. */
static void test_cap(void)
{
	for (size_t cap = 1; cap < 300; cap++) {
		struct buf out;
		arena_reset(&arena);
		struct sample sample = make_sample(SAMPLE_PLAIN, NULL, "1");
		char *text = arena_text(&arena, 200);
		memset(text, 'x', 200);
		sample.labels.pairs[0].value = slice_make(text, 200);
		sample_extend(&sample, &arena)->exemplar = SLICE("{a=\"b\"} 1 2");
		buf_init(&out, cap);
		protobuf_append_metric(&out, METRIC_COUNTER, &sample, 1);
		protobuf_append_family_head(
				&out, SLICE("m"), SLICE("Help."), METRIC_COUNTER, SLICE(""), out.len);
		CHECK(out.len <= cap);
		buf_finish(&out);
	}
}

/* ---- Any batch ---- */

static uint64_t random_state = 1;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % below;
}

static struct slice draw_text(size_t max_len)
{
	static const char *const pieces[] = { "a", "b", "_", "x9", "\\\\", "\\\"", "\\n", "\xc3\xa9",
		"{", "}", ",", "=", " ", "#" };
	struct buf out;
	buf_init(&out, 0);
	for (size_t i = draw((uint32_t)max_len); i > 0; i--) {
		buf_append_string(&out, pieces[draw(sizeof(pieces) / sizeof(pieces[0]))]);
	}
	return take(&out);
}

static struct slice draw_number(void)
{
	char digits[NUMBER_TEXT_MAX];
	double value;
	switch (draw(4)) {
	case 0:
		return draw(2) == 0 ? SLICE("NaN") : SLICE("+Inf");
	case 1:
		value = draw(1000);
		break;
	case 2:
		value = ldexp((double)draw(1u << 30), (int)draw(200) - 100);
		break;
	default:
		value = -(double)(draw(100000) + 1) / 1000;
		break;
	}
	return arena_copy(&arena, slice_make(digits, number_format(value, digits)));
}

static struct slice draw_time(void)
{
	struct timestamp timestamp = {
		.seconds = (int64_t)draw(1u << 31) - (1 << 30),
		.nanos = draw(2) == 0 ? 0 : (int32_t)draw(1000) * 1000000,
	};
	return timestamp_text(&timestamp, &arena);
}

static void draw_exemplar(struct sample *sample)
{
	if (draw(3) != 0) {
		return;
	}
	struct slice number = draw_number();
	struct slice value = draw_text(10);
	struct slice time = draw_time();
	sample_extend(sample, &arena)->exemplar = draw(2) == 0
			? arena_printf(&arena, "{} " SLICE_FMT, SLICE_ARG(number))
			: arena_printf(&arena, "{a=\"" SLICE_FMT "\",b=\"\"} " SLICE_FMT " " SLICE_FMT,
					SLICE_ARG(value), SLICE_ARG(number), SLICE_ARG(time));
}

static struct labels draw_labels(const char *bound_name, struct slice bound, const char *number)
{
	struct labels labels = { .pairs = arena_alloc(&arena, 8 * sizeof(struct label)) };
	labels.pairs[labels.count++] =
			(struct label){ SLICE("metric"), arena_printf(&arena, "%s", number) };
	if (bound_name != NULL) {
		labels.pairs[labels.count++] = (struct label){ slice_of_string(bound_name), bound };
	}
	labels_sort(&labels);
	return labels;
}

static struct sample *add_sample(struct batch_family *family, enum sample_role role,
		const char *bound_name, struct slice bound, size_t number)
{
	char text[32];
	snprintf(text, sizeof(text), "%zu", number);
	struct sample *sample = batch_family_add(family, &arena);
	sample->role = role;
	sample->labels = draw_labels(bound_name, bound, text);
	return sample;
}

static void draw_native(struct sample *last)
{
	static const char *const natives[] = {
		"5:~1 12:{1:~-2 2:2} 13:[~1 ~0]",
		"7:1 6:0.5 9:{2:1} 10:~3",
		"4:5.0 5:~-4 12:{2:1} 14:[5.0] 16:{1:{1:\"a\"} 2:1.0 3:{1:1}}",
		"4:5.0",
	};
	struct buf out;
	buf_init(&out, 0);
	protobuf_text_message(&out, natives[draw(sizeof(natives) / sizeof(natives[0]))], '\0');
	sample_extend(last, &arena)->native = take(&out);
}

static void draw_metric(struct batch_family *family, size_t number)
{
	static const char *const bounds[] = { "-5", "0", "0.25", "1e+06", "+Inf" };
	bool is_summary = family->type == METRIC_SUMMARY;
	if (!metric_type_has_bounds(family->type)) {
		struct sample *sample = add_sample(family, SAMPLE_PLAIN, NULL, SLICE(""), number);
		sample->labels.pairs[sample->labels.count++] = (struct label){ SLICE("z"), draw_text(9) };
		sample->value = draw_number();
		if (family->type == METRIC_COUNTER) {
			draw_exemplar(sample);
			sample_extend(sample, &arena)->created = draw_time();
		}
		return;
	}
	for (size_t i = is_summary ? draw(5) : draw(4); i < 5; i++) {
		struct sample *sample = add_sample(family, is_summary ? SAMPLE_QUANTILE : SAMPLE_BUCKET,
				is_summary ? "quantile" : "le", slice_of_string(bounds[i]), number);
		sample->value = is_summary ? draw_number() : draw(2) == 0 ? SLICE("3") : SLICE("4.5");
		if (!is_summary) {
			draw_exemplar(sample);
		}
	}
	add_sample(family, SAMPLE_SUM, NULL, SLICE(""), number)->value = draw_number();
	struct sample *last = add_sample(family, SAMPLE_COUNT, NULL, SLICE(""), number);
	last->value = SLICE("5");
	sample_extend(last, &arena)->created = draw_time();
	if (!is_summary && draw(2) == 0) {
		draw_native(last);
	}
}

static struct batch draw_batch(void)
{
	static const enum metric_type types[] = { METRIC_UNTYPED, METRIC_COUNTER, METRIC_GAUGE,
		METRIC_SUMMARY, METRIC_HISTOGRAM, METRIC_GAUGE_HISTOGRAM };
	struct batch batch = { 0 };
	struct batch_family **link = &batch.families;
	for (size_t i = draw(6); i > 0; i--) {
		struct batch_family *family = arena_zalloc(&arena, 1, sizeof(*family));
		struct slice rest = draw_text(10);
		family->name = arena_printf(&arena, "m%zu_" SLICE_FMT "_s", i, SLICE_ARG(rest));
		family->type = types[draw(sizeof(types) / sizeof(types[0]))];
		if (draw(2) == 0) {
			family->help = SLICE("He\\\\lp\\n\".");
			family->unit = SLICE("s");
		}
		for (size_t number = draw(20) + 1; number > 0; number--) {
			draw_metric(family, number);
		}
		batch.family_count++;
		batch.sample_count += family->sample_count;
		*link = family;
		link = &family->next;
	}
	return batch;
}

static void test_random_batches(void)
{
	for (int i = 0; i < 2000; i++) {
		arena_reset(&arena);
		struct batch batch = draw_batch();
		struct slice page = write_batch(&batch);
		struct batch again = parse(page);
		CHECK_SLICE(protobuf_dump(&again, &arena), protobuf_dump(&batch, &arena));
		CHECK_SLICE(write_batch(&again), page);
	}
}

int main(void)
{
	hash_init();
	arena_init(&arena);
	RUN(test_pages);
	RUN(test_soundness);
	RUN(test_values);
	RUN(test_incomplete);
	RUN(test_texts);
	RUN(test_lengths);
	RUN(test_cap);
	RUN(test_random_batches);
	arena_finish(&arena);
	return check_done();
}
