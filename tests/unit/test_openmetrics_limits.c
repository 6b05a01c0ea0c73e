/*
 * OpenMetrics: what is allowed at most, and how long it takes.
 */

#include <time.h>

#include "base/hash.h"
#include "unit/openmetrics_driver.h"

static struct openmetrics_driver driver;

/* ---- Limits ---- */

static enum format_result try_buf(struct buf *body)
{
	size_t len = body->len;
	buf_append(body, SLICE("# EOF\n"));
	enum format_result result = openmetrics_try(&driver, buf_slice(body));
	body->len = len;
	return result;
}

static void check_limit(struct buf *body, enum format_limit limit, size_t line)
{
	CHECK_INT(try_buf(body), FORMAT_E_LIMIT);
	CHECK_INT(driver.error.limit, limit);
	CHECK_INT(driver.error.line, line);
}

static void test_samples(void)
{
	struct buf body;
	buf_init(&body, 0);
	buf_append_string(&body, "# TYPE c counter\n");
	for (unsigned i = 0; i < driver.options.samples; i++) {
		buf_printf(&body, "c_total{a=\"%u\"} 1\nc_created{a=\"%u\"} 1\n", i, i);
	}
	CHECK_INT(try_buf(&body), FORMAT_OK);
	CHECK_INT(driver.batch.sample_count, driver.options.samples);
	buf_append(&body, SLICE("m 1\n"));
	check_limit(&body, FORMAT_LIMIT_SAMPLES, 2 * driver.options.samples + 2);
	buf_finish(&body);
}

static void append_labels(struct buf *body, size_t count)
{
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "%sl%u=\"\"", i == 0 ? "{" : ",", i);
	}
}

static void test_labels(void)
{
	static const char *const starts[] = { "# HELP m x\nm", "# TYPE c counter\nc_total 1 # " };
	struct buf body;
	buf_init(&body, 0);
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		body.len = 0;
		buf_append_string(&body, starts[i]);
		append_labels(&body, driver.options.labels);
		size_t open = body.len;
		buf_append(&body, SLICE("} 1\n"));
		CHECK_INT(try_buf(&body), FORMAT_OK);
		body.len = open;
		buf_append(&body, SLICE(",x=\"\"} 1\n"));
		check_limit(&body, FORMAT_LIMIT_LABELS, 2);
	}
	buf_finish(&body);
}

static void test_label_bytes(void)
{
	static const char *const bodies[][2] = { { "m{a=\"", "\"} 1\n" }, { "m{", "=\"\"} 1\n" },
		{ "", " 1\n" }, { "# HELP ", " x\n" }, { "{\"", "\"} 1\n" }, { "m{\"", "\"=\"\"} 1\n" },
		{ "# TYPE \"", "\" gauge\n" } };
	char text[2001];
	struct buf body;
	buf_init(&body, 0);
	memset(text, 'x', sizeof(text));
	driver.options.utf8_names = true;
	for (size_t i = 0; i < 2 * sizeof(bodies) / sizeof(bodies[0]); i++) {
		bool is_more = i % 2 == 1;
		body.len = 0;
		buf_append_string(&body, bodies[i / 2][0]);
		buf_append(&body, slice_make(text, driver.options.label_bytes + (is_more ? 1 : 0)));
		buf_append_string(&body, bodies[i / 2][1]);
		if (is_more) {
			check_limit(&body, FORMAT_LIMIT_LABEL_BYTES, 1);
		} else {
			CHECK_INT(try_buf(&body), FORMAT_OK);
		}
	}
	driver.options.utf8_names = false;
	buf_finish(&body);
}

/* ---- Time ---- */

typedef void make_function(struct buf *body, unsigned count);

static void make_labels(struct buf *body, unsigned count)
{
	buf_append(body, SLICE("m{"));
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "%slabel_%u=\"\"", i == 0 ? "" : ",", i * 7919 % count);
	}
	buf_append(body, SLICE("} 1\n"));
}

static void make_families(struct buf *body, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "# TYPE m%u gauge\nm%u 1\n", i, i);
	}
}

static void make_families_of_many_names(struct buf *body, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "# TYPE m%u histogram\n", i);
	}
}

static void make_series(struct buf *body, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "m{a=\"%u\"} 1\n", i * 7919 % count);
	}
}

static void make_histograms(struct buf *body, unsigned count)
{
	buf_append(body, SLICE("# TYPE h histogram\n"));
	for (unsigned i = 0; i < count; i++) {
		unsigned number = i * 7919 % count;
		buf_printf(body,
				"h_bucket{a=\"%u\",le=\"+Inf\"} 1\nh_count{a=\"%u\"} 1\nh_sum{a=\"%u\"} 1\n",
				number, number, number);
	}
}

static void make_buckets(struct buf *body, unsigned count)
{
	buf_append(body, SLICE("# TYPE h histogram\nh_sum 1\nh_count 1\n"));
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "h_bucket{le=\"%u\"} 1\n", i);
	}
	buf_append(body, SLICE("h_bucket{le=\"+Inf\"} 1\n"));
}

static void make_states(struct buf *body, unsigned count)
{
	buf_append(body, SLICE("# TYPE s stateset\n"));
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "s{s=\"%u\"} 1\n", i * 7919 % count);
	}
}

static void make_summaries(struct buf *body, unsigned count)
{
	buf_append(body, SLICE("# TYPE s summary\n"));
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "s{quantile=\"0.9\",a=\"%u\"} 1\ns{quantile=\"0.5\",a=\"%u\"} 1\n", i, i);
	}
}

static void make_points(struct buf *body, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		buf_printf(body, "m 1 %u.5\n", i);
	}
}

static void make_backslashes(struct buf *body, unsigned count)
{
	buf_append(body, SLICE("m{a=\""));
	for (unsigned i = 0; i < count; i++) {
		buf_append(body, SLICE("\\\"\\d"));
	}
	buf_append(body, SLICE("\"} 1\n"));
}

static double seconds_for(make_function *make, unsigned count)
{
	static const struct format_options options = {
		.samples = SIZE_MAX,
		.labels = SIZE_MAX,
		.label_bytes = SIZE_MAX,
	};
	double best = 1e9;
	struct buf body;
	buf_init(&body, 0);
	make(&body, count);
	buf_append(&body, SLICE("# EOF\n"));
	for (int i = 0; i < 5; i++) {
		clock_t start = clock();
		arena_reset(&driver.arena);
		CHECK_INT(openmetrics_parse(
						  buf_slice(&body), &options, &driver.arena, &driver.batch, &driver.error),
				FORMAT_OK);
		double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
		best = seconds < best ? seconds : best;
	}
	buf_finish(&body);
	return best;
}

/* Four times as much takes about four times as long, not sixteen times. */
static void test_time_grows_with_the_body(void)
{
	static make_function *const makers[] = { make_labels, make_families,
		make_families_of_many_names, make_series, make_histograms, make_buckets, make_states,
		make_summaries, make_points, make_backslashes };
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
	openmetrics_driver_init(&driver);
	RUN(test_samples);
	RUN(test_labels);
	RUN(test_label_bytes);
	RUN(test_time_grows_with_the_body);
	openmetrics_driver_finish(&driver);
	return check_done();
}
