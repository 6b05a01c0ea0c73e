/*
 * Summaries and histograms in the text format: put together from whatever
 * lines there are, in whatever order.
 */

#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "check.h"
#include "format/text_parse.h"
#include "guard.h"
#include "unit/text_dump.h"

enum { BODY_MAX = 1 << 20 };

static const struct format_options limits = {
	.samples = 1000000,
	.labels = 100000,
	.label_bytes = 1000,
};

static struct guard guard;
static struct arena arena;

struct good_case {
	const char *body;
	const char *dump;
};

static void check_good(const struct good_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct batch batch;
		struct format_error error = { 0 };
		int failures = check_failures;
		arena_reset(&arena);
		struct slice body = guard_copy(&guard, slice_of_string(cases[i].body));
		CHECK_INT(text_parse(body, &limits, &arena, &batch, &error), FORMAT_OK);
		if (failures == check_failures) {
			CHECK_STRING(text_dump(&batch, &arena), cases[i].dump);
		}
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].body);
		}
	}
}

#define CHECK_GOOD(cases) check_good((cases), sizeof(cases) / sizeof((cases)[0]))

static void test_histograms(void)
{
	static const struct good_case cases[] = {
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
				"h histogram\n  h_bucket{le=1} 1\n  h_bucket{le=+Inf} 2\n  h_sum{} 3\n  h_count{} "
				"2\n" },
		/* Sum and count come last, buckets in pushed order. */
		{ "# TYPE h histogram\nh_count 2\nh_bucket{le=\"5\"} 2\nh_sum 3\nh_bucket{le=\"1\"} 1\n"
		  "h_bucket{le=\"+Inf\"} 2\n",
				"h histogram\n  h_bucket{le=5} 2\n  h_bucket{le=1} 1\n  h_bucket{le=+Inf} 2\n"
				"  h_sum{} 3\n  h_count{} 2\n" },
		/* What is missing. */
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 3\nh_count 2\n",
				"h histogram\n  h_bucket{le=1} 1\n  h_bucket{le=+Inf} 2\n  h_sum{} 3\n  h_count{} "
				"2\n" },
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n",
				"h histogram\n  h_bucket{le=1} 1\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} "
				"0\n" },
		{ "# TYPE h histogram\nh_sum 1\n",
				"h histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 1\n  h_count{} 0\n" },
		{ "# TYPE h histogram\nh_count 2.5\n",
				"h histogram\n  h_bucket{le=+Inf} 2.5\n  h_sum{} 0\n  h_count{} 2.5\n" },
		{ "# TYPE h histogram\nh{a=\"b\"} 7\n",
				"h histogram\n  h_bucket{a=b,le=+Inf} 0\n  h_sum{a=b} 0\n  h_count{a=b} 0\n" },
		/* One identity for each bound, in Go's spelling. */
		{ "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"1e6\"} "
		  "2\nh_bucket{le=\"inf\"} "
		  "3\nh_sum 0\nh_count 3\n",
				"h histogram\n  h_bucket{le=1} 1\n  h_bucket{le=1e+06} 2\n  h_bucket{le=+Inf} 3\n"
				"  h_sum{} 0\n  h_count{} 3\n" },
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 2\nh_count 3\n",
				"fault collected metric \"h\" has two samples with le=\"1\" and otherwise the same "
				"labels\nh histogram\n  h_bucket{le=1} 1\n  h_bucket{le=1} 2\n  h_bucket{le=+Inf} "
				"3\n  h_sum{} 0\n  h_count{} 3\n" },
		{ "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_bucket{le=\"Infinity\"} 1\nh_sum "
		  "1\nh_count 1\n",
				"fault collected metric \"h\" has two samples with le=\"+Inf\" and otherwise the "
				"same labels\nh histogram\n  h_bucket{le=+Inf} 1\n  h_bucket{le=+Inf} 1\n  h_sum{} "
				"1\n  h_count{} 1\n" },
		/* Said twice: the last counts. */
		{ "# TYPE h histogram\nh_sum 1\nh_sum 2\nh_count 3\nh_count 4\nh_bucket{le=\"+Inf\"} 4\n",
				"h histogram\n  h_bucket{le=+Inf} 4\n  h_sum{} 2\n  h_count{} 4\n" },
		{ "# TYPE h histogram\nh_bucket{le=\"1\",le=\"2\"} 1\n",
				"h histogram\n  h_bucket{le=2} 1\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} "
				"0\n" },
		/* Several metrics, interleaved. */
		{ "# TYPE h histogram\nh_bucket{a=\"1\",le=\"+Inf\"} 1\nh_bucket{a=\"2\",le=\"+Inf\"} 2\n"
		  "h_sum{a=\"1\"} 3\nh_count{a=\"2\"} 2\nh_count{a=\"1\"} 1\nh_sum{a=\"2\"} 4\n",
				"h histogram\n  h_bucket{a=1,le=+Inf} 1\n  h_sum{a=1} 3\n  h_count{a=1} 1\n"
				"  h_bucket{a=2,le=+Inf} 2\n  h_sum{a=2} 4\n  h_count{a=2} 2\n" },
		{ "# TYPE h histogram\nh_bucket{z=\"1\",le=\"1\",a=\"2\"} 1\nh_sum{a=\"2\",z=\"1\"} 5\n",
				"h histogram\n  h_bucket{a=2,le=1,z=1} 1\n  h_bucket{a=2,le=+Inf,z=1} 0\n"
				"  h_sum{a=2,z=1} 5\n  h_count{a=2,z=1} 0\n" },
		/* Two families, interleaved. */
		{ "# TYPE h histogram\n# TYPE s summary\nh_sum 1\ns_sum 2\nh_count 3\ns_count 4\nm 5\n"
		  "h_bucket{le=\"+Inf\"} 3\n",
				"h histogram\n  h_bucket{le=+Inf} 3\n  h_sum{} 1\n  h_count{} 3\n"
				"s summary\n  s_sum{} 2\n  s_count{} 4\nm untyped\n  m{} 5\n" },
		/* A name is a family of its own when it came before the TYPE line. */
		{ "h_count 1\n# TYPE h histogram\nh_count 2\nh_sum 3\n",
				"h_count untyped\n  h_count{} 1\n  h_count{} 2\n"
				"h histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 3\n  h_count{} 0\n" },
		{ "# TYPE g gauge\ng 1\ng_count 2\n",
				"g gauge\n  g{} 1\ng_count untyped\n  g_count{} 2\n" },
		{ "# TYPE h gaugehistogram\nh_count 2\n",
				"h gauge_histogram\n  h_bucket{le=+Inf} 2\n  h_sum{} 0\n  h_count{} 2\n" },
		{ "# TYPE h gauge_histogram\nh_sum -2\n",
				"h gauge_histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} -2\n  h_count{} 0\n" },
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} -0\nh_count -0\n",
				"h histogram\n  h_bucket{le=1} -0\n  h_bucket{le=+Inf} -0\n  h_sum{} 0\n"
				"  h_count{} -0\n" },
		/* A bound that is no bound. */
		{ "# TYPE h histogram\nh_bucket{le=\"NaN\"} 1\n",
				"h histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} 0\n" },
		{ "# TYPE h histogram\nh_bucket 1\n",
				"h histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} 0\n" },
		{ "# TYPE h histogram\nh_bucket{quantile=\"x\",le=\"+Inf\"} 1\n",
				"h histogram\n  h_bucket{le=+Inf,quantile=x} 1\n  h_sum{quantile=x} 0\n"
				"  h_count{quantile=x} 0\n" },
	};
	CHECK_GOOD(cases);
}

static void test_summaries(void)
{
	static const struct good_case cases[] = {
		{ "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.9\"} 2\ns_sum 3\ns_count 4\n",
				"s summary\n  s{quantile=0.5} 1\n  s{quantile=0.9} 2\n  s_sum{} 3\n  s_count{} "
				"4\n" },
		{ "# TYPE s summary\ns_count 4\ns{quantile=\"0.9\"} 2\ns{quantile=\"0.5\"} 1\n",
				"s summary\n  s{quantile=0.9} 2\n  s{quantile=0.5} 1\n  s_sum{} 0\n  s_count{} "
				"4\n" },
		{ "# TYPE s summary\ns 1\n", "s summary\n  s_sum{} 0\n  s_count{} 0\n" },
		{ "# TYPE s summary\ns{quantile=\".50\"} -1\ns_sum -3\n",
				"s summary\n  s{quantile=0.5} -1\n  s_sum{} -3\n  s_count{} 0\n" },
		/* The count is an unsigned integer. */
		{ "# TYPE s summary\ns_count 4.7\n", "s summary\n  s_sum{} 0\n  s_count{} 4\n" },
		{ "# TYPE s summary\ns_count -4\n",
				"s summary\n  s_sum{} 0\n  s_count{} 18446744073709551612\n" },
		{ "# TYPE s summary\ns_count 18446744073709551615\n",
				"s summary\n  s_sum{} 0\n  s_count{} 18446744073709551615\n" },
		{ "# TYPE s summary\ns_count 9007199254740993\n",
				"s summary\n  s_sum{} 0\n  s_count{} 9007199254740993\n" },
		{ "# TYPE s summary\ns_count 007\n", "s summary\n  s_sum{} 0\n  s_count{} 7\n" },
		{ "# TYPE s summary\ns_count 1e3\n", "s summary\n  s_sum{} 0\n  s_count{} 1000\n" },
		{ "# TYPE s summary\ns_count NaN\n",
				"s summary\n  s_sum{} 0\n  s_count{} 9223372036854775808\n" },
		{ "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"5e-1\"} 1\n",
				"fault collected metric \"s\" has two samples with quantile=\"0.5\" and otherwise "
				"the same labels\n"
				"s summary\n  s{quantile=0.5} 1\n  s{quantile=0.5} 1\n  s_sum{} 0\n  s_count{} "
				"0\n" },
		{ "# TYPE s summary\ns_bucket{le=\"1\"} 1\n", "s_bucket untyped\n  s_bucket{le=1} 1\n" },
		{ "# TYPE s summary\ns{le=\"x\"} 1\n", "s summary\n  s_sum{le=x} 0\n  s_count{le=x} 0\n" },
	};
	CHECK_GOOD(cases);
}

static void test_refusals(void)
{
	static const struct {
		const char *body;
		size_t column;
		const char *what;
	} cases[] = {
		{ "# TYPE h histogram\nh_bucket{le=\"x\"} 1\n", 14,
				"expected float as value for 'le' label, got \"x\"" },
		{ "# TYPE h histogram\nh_bucket{le=\"\"} 1\n", 14,
				"expected float as value for 'le' label, got \"\"" },
		{ "# TYPE h histogram\nh_count{le=\"a\\nb\"} 1\n", 13,
				"expected float as value for 'le' label, got \"a\\nb\"" },
		{ "# TYPE s summary\ns{quantile=\"x\"} 1\n", 13,
				"expected float as value for 'quantile' label, got \"x\"" },
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} -1\n", 18,
				"negative bucket population for histogram \"h\"" },
		{ "# TYPE h histogram\nh_count -1\n", 9, "negative count for histogram \"h\"" },
		{ "# TYPE h gaugehistogram\nh_count -Inf\n", 9, "negative count for histogram \"h\"" },
		{ "# TYPE h histogram\n# TYPE h_count gauge\n", 1,
				"second TYPE line for metric name \"h\", or TYPE reported after samples" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct batch batch;
		struct format_error error = { 0 };
		int failures = check_failures;
		struct slice body = guard_copy(&guard, slice_of_string(cases[i].body));
		CHECK_INT(text_parse(body, &limits, &arena, &batch, &error), FORMAT_E_SYNTAX);
		CHECK_INT(error.line, 2);
		CHECK_INT(error.column, cases[i].column);
		CHECK_STRING(error.what, cases[i].what);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].body);
		}
	}
}

/* ---- Time ---- */

typedef void make_function(struct buf *body, unsigned count);

static void make_labels(struct buf *body, unsigned count)
{
	buf_append(body, SLICE("m{"));
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "label_%u=\"\",", i * 7919 % count);
	}
	buf_append(body, SLICE("} 1\n"));
}

static void make_buckets(struct buf *body, unsigned count)
{
	buf_append(body, SLICE("# TYPE h histogram\n"));
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "h_bucket{le=\"%u\"} 1\n", i * 7919 % count);
	}
}

static void make_metrics(struct buf *body, unsigned count)
{
	buf_append(body, SLICE("# TYPE h histogram\n"));
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "h_count{a=\"%u\"} 1\n", i);
	}
}

static void make_families(struct buf *body, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "m%u 1\n", i);
	}
}

static double seconds_for(make_function *make, unsigned count)
{
	double best = 1e9;
	struct buf body;
	buf_init(&body, 0);
	make(&body, count);
	for (int i = 0; i < 5; i++) {
		struct batch batch;
		struct format_error error;
		clock_t start = clock();
		arena_reset(&arena);
		CHECK_INT(text_parse(buf_slice(&body), &limits, &arena, &batch, &error), FORMAT_OK);
		double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
		best = seconds < best ? seconds : best;
	}
	buf_finish(&body);
	return best;
}

/* Four times as much takes about four times as long, not sixteen times. */
static void test_time_grows_with_the_body(void)
{
	static make_function *const makers[] = { make_labels, make_buckets, make_metrics,
		make_families };
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		double few = seconds_for(makers[i], 5000);
		double many = seconds_for(makers[i], 20000);
		if (many > 10 * few + 0.01) {
			fprintf(stderr, "maker %zu: %f s, then %f s\n", i, few, many);
		}
		CHECK(many <= 10 * few + 0.01);
	}
}

int main(void)
{
	hash_init();
	guard_init(&guard, BODY_MAX);
	arena_init(&arena);
	RUN(test_histograms);
	RUN(test_summaries);
	RUN(test_refusals);
	RUN(test_time_grows_with_the_body);
	arena_finish(&arena);
	guard_finish(&guard);
	return check_done();
}
