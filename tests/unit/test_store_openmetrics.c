/*
 * The OpenMetrics page: what was pushed as OpenMetrics comes back as it was,
 * what was pushed otherwise as far as it can be said, and no name is taken
 * twice.
 */

#include "unit/store_driver.h"

static void put(struct store_driver *d, enum format_id format, const char *key, const char *body)
{
	d->format = format;
	CHECK_INT(store_driver_push(d, STORE_PUT, key, body), PUSH_OK);
}

static void put_text(struct store_driver *d, const char *key, const char *body)
{
	put(d, FORMAT_TEXT, key, body);
}

static void put_open(struct store_driver *d, const char *key, const char *body)
{
	put(d, FORMAT_OPENMETRICS, key, body);
}

static void refuse_open(struct store_driver *d, const char *key, const char *body)
{
	d->format = FORMAT_OPENMETRICS;
	CHECK_INT(store_driver_push(d, STORE_PUT, key, body), PUSH_E_INCONSISTENT);
	store_driver_delete(d, key);
}

static void init(struct store_driver *d)
{
	store_driver_init(d, NULL);
	d->page.format = PAGE_OPENMETRICS;
}

static struct slice text_page(struct store_driver *d)
{
	d->page.format = PAGE_TEXT;
	struct slice page = store_driver_page(d);
	d->page.format = PAGE_OPENMETRICS;
	return page;
}

/* Every type, with all that it may have. */
static void test_all_types(void)
{
	struct store_driver d;
	init(&d);
	const char *body = "# TYPE c_seconds counter\n"
					   "# UNIT c_seconds seconds\n"
					   "# HELP c_seconds Some \\\"time\\\".\n"
					   "c_seconds_total{instance=\"\",job=\"j\"} 5 # {t=\"1\"} 0.5 1520879607.789\n"
					   "c_seconds_created{instance=\"\",job=\"j\"} 1520430000.123\n"
					   "# TYPE g gauge\n"
					   "g{instance=\"\",job=\"j\"} -1e3\n"
					   "# TYPE gh gaugehistogram\n"
					   "gh_bucket{instance=\"\",job=\"j\",le=\"1.0\"} 2\n"
					   "gh_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 3 # {} 7\n"
					   "gh_gsum{instance=\"\",job=\"j\"} 4\n"
					   "gh_gcount{instance=\"\",job=\"j\"} 3\n"
					   "# TYPE h histogram\n"
					   "h_bucket{instance=\"\",job=\"j\",le=\"-1.0\"} 1\n"
					   "h_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 3\n"
					   "h_created{instance=\"\",job=\"j\"} 1\n"
					   "# TYPE i info\n"
					   "i_info{a=\"b\",instance=\"\",job=\"j\"} 1\n"
					   "# TYPE s stateset\n"
					   "s{instance=\"\",job=\"j\",s=\"a\"} 1\n"
					   "s{instance=\"\",job=\"j\",s=\"b\"} 0\n"
					   "# TYPE su summary\n"
					   "su{instance=\"\",job=\"j\",quantile=\"1.0\"} 4\n"
					   "su_sum{instance=\"\",job=\"j\"} 4\n"
					   "su_count{instance=\"\",job=\"j\"} 1\n"
					   "su_created{instance=\"\",job=\"j\"} 2.5\n"
					   "# TYPE u unknown\n"
					   "u{instance=\"\",job=\"j\"} NaN\n"
					   "# EOF\n";
	put_open(&d, "job=j", body);
	CHECK_STRING(store_driver_page(&d), body);
	CHECK_STRING(text_page(&d),
			"# HELP c_seconds_total Some \"time\".\n"
			"# TYPE c_seconds_total counter\n"
			"c_seconds_total{instance=\"\",job=\"j\"} 5\n"
			"# TYPE g gauge\n"
			"g{instance=\"\",job=\"j\"} -1e3\n"
			"# TYPE gh histogram\n"
			"gh_bucket{instance=\"\",job=\"j\",le=\"1\"} 2\n"
			"gh_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 3\n"
			"gh_gsum{instance=\"\",job=\"j\"} 4\n"
			"gh_gcount{instance=\"\",job=\"j\"} 3\n"
			"# TYPE h histogram\n"
			"h_bucket{instance=\"\",job=\"j\",le=\"-1\"} 1\n"
			"h_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 3\n"
			"# TYPE i_info gauge\n"
			"i_info{a=\"b\",instance=\"\",job=\"j\"} 1\n"
			"# TYPE s gauge\n"
			"s{instance=\"\",job=\"j\",s=\"a\"} 1\n"
			"s{instance=\"\",job=\"j\",s=\"b\"} 0\n"
			"# TYPE su summary\n"
			"su{instance=\"\",job=\"j\",quantile=\"1\"} 4\n"
			"su_sum{instance=\"\",job=\"j\"} 4\n"
			"su_count{instance=\"\",job=\"j\"} 1\n"
			"# TYPE u untyped\n"
			"u{instance=\"\",job=\"j\"} NaN\n");
	store_driver_finish(&d);
}

static void test_text_becomes_openmetrics(void)
{
	struct store_driver d;
	init(&d);
	put_text(&d, "job=j",
			"# TYPE bare counter\nbare 1\n# HELP c_total A \"b\\\\c\".\n# TYPE c_total counter\n"
			"c_total 2\n# TYPE c_created gauge\nc_created 3\n# TYPE gh gaugehistogram\n"
			"gh_bucket{le=\"1\"} 1\ngh_bucket{le=\"+Inf\"} 1\ngh_sum 1\ngh_count 1\n"
			"# TYPE taken_total counter\ntaken_total 4\ntaken 5\n"
			"# TYPE _total counter\n_total 6\n");
	CHECK_STRING(store_driver_page(&d),
			"# TYPE _total unknown\n_total{instance=\"\",job=\"j\"} 6\n"
			"# TYPE bare unknown\nbare{instance=\"\",job=\"j\"} 1\n"
			"# TYPE c_created gauge\nc_created{instance=\"\",job=\"j\"} 3\n"
			"# TYPE c counter\n# HELP c A \\\"b\\\\c\\\".\nc_total{instance=\"\",job=\"j\"} 2\n"
			"# TYPE gh histogram\n"
			"gh_bucket{instance=\"\",job=\"j\",le=\"1.0\"} 1\n"
			"gh_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 1\n"
			"gh_sum{instance=\"\",job=\"j\"} 1\ngh_count{instance=\"\",job=\"j\"} 1\n"
			"# TYPE taken unknown\ntaken{instance=\"\",job=\"j\"} 5\n"
			"# TYPE taken_total unknown\ntaken_total{instance=\"\",job=\"j\"} 4\n"
			"# EOF\n");
	store_driver_finish(&d);
}

/* What has the name of another is shown under its own, without what only its type may have. */
static void test_names_are_taken(void)
{
	static const struct {
		const char *body;
		const char *other;
		const char *page;
	} rows[] = {
		{ "# TYPE c counter\nc_total 1 # {} 1\nc_created 2\n# EOF\n",
				"# TYPE c gauge\nc 3\n# EOF\n",
				"# TYPE c gauge\nc{instance=\"\",job=\"k\"} 3\n"
				"# TYPE c_total unknown\nc_total{instance=\"\",job=\"j\"} 1\n# EOF\n" },
		{ "# TYPE i info\ni_info 1\n# EOF\n", "# TYPE i counter\ni_total 3\n# EOF\n",
				"# TYPE i_info gauge\ni_info{instance=\"\",job=\"j\"} 1\n"
				"# TYPE i counter\ni_total{instance=\"\",job=\"k\"} 3\n# EOF\n" },
		{ "# TYPE i info\ni_info 1\n# EOF\n", "# TYPE i unknown\ni 3\n# EOF\n",
				"# TYPE i unknown\ni{instance=\"\",job=\"k\"} 3\n"
				"# TYPE i_info gauge\ni_info{instance=\"\",job=\"j\"} 1\n# EOF\n" },
		{ "# TYPE s_count counter\ns_count_total 1\n# EOF\n",
				"# TYPE s summary\ns_count 1\ns_sum 1\n# EOF\n",
				"# TYPE s summary\ns_sum{instance=\"\",job=\"k\"} 1\n"
				"s_count{instance=\"\",job=\"k\"} 1\n"
				"# TYPE s_count_total unknown\ns_count_total{instance=\"\",job=\"j\"} 1\n# EOF\n" },
		{ "# TYPE s_created counter\ns_created_total 1\n# EOF\n",
				"# TYPE s counter\ns_total 1\n# EOF\n",
				"# TYPE s_created_total unknown\ns_created_total{instance=\"\",job=\"j\"} 1\n"
				"# TYPE s counter\ns_total{instance=\"\",job=\"k\"} 1\n# EOF\n" },
		/* Types that agree, the plainer one counts. */
		{ "# TYPE i info\ni_info{a=\"1\"} 1\n# EOF\n", "# TYPE i_info gauge\ni_info 3\n# EOF\n",
				"# TYPE i_info gauge\ni_info{a=\"1\",instance=\"\",job=\"j\"} 1\n"
				"i_info{instance=\"\",job=\"k\"} 3\n# EOF\n" },
		{ "# TYPE s stateset\ns{s=\"a\"} 1\n# EOF\n", "# TYPE s gauge\ns 3\n# EOF\n",
				"# TYPE s gauge\ns{instance=\"\",job=\"j\",s=\"a\"} 1\n"
				"s{instance=\"\",job=\"k\"} 3\n# EOF\n" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_driver d;
		init(&d);
		put_open(&d, "job=j", rows[i].body);
		put_open(&d, "job=k", rows[i].other);
		CHECK_STRING(store_driver_page(&d), rows[i].page);
		store_driver_finish(&d);
	}
}

/* What cannot be said in OpenMetrics at all is refused, if all of it was pushed as such. */
static void test_names_are_kept_free(void)
{
	static const char *const rows[][2] = {
		{ "# TYPE c counter\nc_total 1\n# EOF\n", "# TYPE c_created gauge\nc_created 1\n# EOF\n" },
		{ "# TYPE c summary\nc_sum 1\n# EOF\n", "# TYPE c_created gauge\nc_created 1\n# EOF\n" },
		{ "# TYPE c histogram\nc_bucket{le=\"+Inf\"} 1\n# EOF\n",
				"# TYPE c_created unknown\nc_created 1\n# EOF\n" },
		{ "# TYPE c histogram\nc_bucket{le=\"+Inf\"} 1\n# EOF\n",
				"# TYPE c gaugehistogram\nc_bucket{le=\"+Inf\"} 1\n# EOF\n" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t first = 0; first < 2; first++) {
			struct store_driver d;
			init(&d);
			put_open(&d, "job=j", rows[i][first]);
			refuse_open(&d, "job=k", rows[i][1 - first]);
			put_open(&d, "job=j", rows[i][1 - first]);
			put_open(&d, "job=j", rows[i][first]);
			store_driver_finish(&d);
		}
	}
	/* Also in one group. */
	struct store_driver d;
	init(&d);
	put_open(&d, "job=j", rows[0][0]);
	CHECK_INT(store_driver_push(&d, STORE_POST, "job=j", rows[0][1]), PUSH_E_INCONSISTENT);
	put_open(&d, "job=j", rows[0][1]);
	CHECK_INT(store_driver_push(&d, STORE_POST, "job=j", rows[0][0]), PUSH_E_INCONSISTENT);
	/* Text is not held to it. */
	put_open(&d, "job=j", rows[0][0]);
	put_text(&d, "job=k", "# TYPE c_created gauge\nc_created 1\n");
	put_open(&d, "job=l", rows[3][0]);
	store_driver_delete(&d, "job=l");
	put_open(&d, "job=m", rows[3][1]);
	store_driver_delete(&d, "job=m");
	store_driver_finish(&d);
}

/* What text calls x_created is there once: the times of creation give way. */
static void test_created_gives_way(void)
{
	struct store_driver d;
	init(&d);
	put_text(&d, "job=j", "# TYPE x_created gauge\nx_created{k=\"v\"} 7\n");
	put_open(&d, "job=j,k=v", "# TYPE x counter\nx_total 1 # {} 1\nx_created 5\n# EOF\n");
	CHECK_STRING(store_driver_page(&d),
			"# TYPE x_created gauge\nx_created{instance=\"\",job=\"j\",k=\"v\"} 7\n"
			"# TYPE x counter\nx_total{instance=\"\",job=\"j\",k=\"v\"} 1 # {} 1\n# EOF\n");
	store_driver_delete(&d, "job=j");
	CHECK_STRING(store_driver_page(&d),
			"# TYPE x counter\nx_total{instance=\"\",job=\"j\",k=\"v\"} 1 # {} 1\n"
			"x_created{instance=\"\",job=\"j\",k=\"v\"} 5\n# EOF\n");
	store_driver_finish(&d);
}

/* A NUL would be the end of the page to Prometheus. */
static void test_exemplar_with_nul(void)
{
	static const char body[] = "# TYPE c counter\nc_total 1 # {t=\"a\0b\"} 1\n# EOF\n";
	struct store_driver d;
	struct driver_push push = { 0 };
	init(&d);
	d.format = FORMAT_OPENMETRICS;
	CHECK(store_driver_prepare(&d, STORE_PUT, "job=j", slice_make(body, sizeof(body) - 1), &push));
	CHECK_INT(store_driver_step(&d, &push), PUSH_OK);
	CHECK_STRING(
			store_driver_page(&d), "# TYPE c counter\nc_total{instance=\"\",job=\"j\"} 1\n# EOF\n");
	store_driver_finish(&d);
}

/* Names of samples that lead to the same series are refused from whoever pushes them. */
static void test_gauge_histogram_names(void)
{
	struct store_driver d;
	init(&d);
	put_open(&d, "job=j",
			"# TYPE g gaugehistogram\ng_bucket{le=\"+Inf\"} 1\ng_gcount 1\ng_gsum 1\n# EOF\n");
	d.format = FORMAT_TEXT;
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=k", "g_gcount 1\n"), PUSH_E_INCONSISTENT);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=k", "g_gsum 1\n"), PUSH_E_INCONSISTENT);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=k", "g_bucket 1\n"), PUSH_E_INCONSISTENT);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=k", "g_count 1\n"), PUSH_E_INCONSISTENT);
	CHECK_INT(store_driver_push(&d, STORE_PUT, "job=k", "g_created 1\n"), PUSH_OK);
	store_driver_finish(&d);
}

/* Grouping labels may bring lines of two metrics together into one. */
static void test_lines_together(void)
{
	struct store_driver d;
	init(&d);
	refuse_open(&d, "job=j",
			"# TYPE s stateset\ns{s=\"x\"} 0\ns{b=\"1\",s=\"x\"} 0\ns{job=\"o\",s=\"y\"} 0\n# "
			"EOF\n");
	refuse_open(&d, "job=j",
			"# TYPE q summary\nq{quantile=\"0.5\"} 1\nq{b=\"1\",quantile=\"0.5\"} 1\n"
			"q{job=\"o\",quantile=\"0.9\"} 2\n# EOF\n");
	put_open(&d, "job=j",
			"# TYPE q summary\nq{quantile=\"0.5\"} 1\nq{job=\"o\",quantile=\"0.9\"} 2\n"
			"q{b=\"1\",quantile=\"0.5\"} 1\n# EOF\n");
	store_driver_finish(&d);
}

static void test_unit(void)
{
	struct store_driver d;
	init(&d);
	put_open(&d, "job=b", "# TYPE a_s gauge\n# UNIT a_s s\na_s 1\n# EOF\n");
	put_text(&d, "job=a", "# TYPE a_s gauge\n# HELP a_s Help.\na_s 1\n");
	CHECK_STRING(store_driver_page(&d),
			"# TYPE a_s gauge\n# UNIT a_s s\n# HELP a_s Help.\na_s{instance=\"\",job=\"b\"} 1\n"
			"a_s{instance=\"\",job=\"a\"} 1\n# EOF\n");
	store_driver_delete(&d, "job=b");
	CHECK_STRING(store_driver_page(&d),
			"# TYPE a_s gauge\n# HELP a_s Help.\na_s{instance=\"\",job=\"a\"} 1\n# EOF\n");
	store_driver_finish(&d);
}

static struct slice exemplar_under(struct store_driver *d, enum escaping escaping)
{
	d->page.escaping = escaping;
	struct slice page = store_driver_page(d);
	const char *line = memmem(page.ptr, page.len, "c_total{", 8);
	return slice_between(line, rawmemchr(line, '\n'));
}

/* Names in quotes can be in exemplars, too. */
static void test_exemplar_names(void)
{
	struct store_driver d;
	struct buf body;
	init(&d);
	put_open(&d, "job=j",
			"# TYPE c counter\nc_total 1 # {\"t.i\"=\"x}\",xa=\"\",a=\"\\\"\",\"é\"=\"\"} 2 3\n# "
			"EOF\n");
	CHECK_STRING(exemplar_under(&d, ESCAPING_ALLOW_UTF8),
			"c_total{instance=\"\",job=\"j\"} 1 # {\"t.i\"=\"x}\",xa=\"\",a=\"\\\"\",\"é\"=\"\"} 2 "
			"3");
	CHECK_STRING(exemplar_under(&d, ESCAPING_UNDERSCORES),
			"c_total{instance=\"\",job=\"j\"} 1 # {t_i=\"x}\",xa=\"\",a=\"\\\"\",_=\"\"} 2 3");
	CHECK_STRING(exemplar_under(&d, ESCAPING_VALUES),
			"c_total{instance=\"\",job=\"j\"} 1 # "
			"{U__t_2e_i=\"x}\",xa=\"\",a=\"\\\"\",U___e9_=\"\"} 2 3");
	/* Equal names, a reserved one, and one too long: without the exemplar. */
	put_open(&d, "job=j", "# TYPE c counter\nc_total 1 # {\"t.i\"=\"1\",t_i=\"2\"} 2\n# EOF\n");
	CHECK_STRING(exemplar_under(&d, ESCAPING_UNDERSCORES), "c_total{instance=\"\",job=\"j\"} 1");
	put_open(&d, "job=j", "# TYPE c counter\nc_total 1 # {\"..i\"=\"1\"} 2\n# EOF\n");
	CHECK_STRING(exemplar_under(&d, ESCAPING_UNDERSCORES), "c_total{instance=\"\",job=\"j\"} 1");
	buf_init(&body, 0);
	buf_append_string(&body, "# TYPE c counter\nc_total 1 # {\"");
	for (int i = 0; i < 100; i++) {
		buf_append_byte(&body, '.');
	}
	buf_append_string(&body, "\"=\"\"} 2\n# EOF\n");
	buf_append_byte(&body, '\0');
	put_open(&d, "job=j", body.ptr);
	CHECK_STRING(exemplar_under(&d, ESCAPING_VALUES), "c_total{instance=\"\",job=\"j\"} 1");
	buf_finish(&body);
	store_driver_finish(&d);
}

/* The page is the same however it is cut into pieces: long lines, many notes. */
static void test_large(void)
{
	enum { SERIES = 3000, LONG = 70000 };
	struct store_driver d;
	struct buf body;
	struct buf wanted;
	init(&d);
	buf_init(&body, 0);
	buf_init(&wanted, 0);
	buf_append_string(&body, "# TYPE c counter\n");
	char *text = arena_text(&d.arena, LONG + 1);
	memset(text, 'x', LONG);
	text[LONG] = '\0';
	for (int i = 0; i < SERIES; i++) {
		const char *value = i % 500 == 7 ? text : "y";
		buf_printf(&body, "c_total{a=\"%d\",l=\"%s\"} 1 # {t=\"%d\"} 2 3\n", i, value, i);
		buf_printf(&body, "c_created{a=\"%d\",l=\"%s\"} %d.5\n", i, value, i);
		buf_printf(&wanted,
				"c_total{a=\"%d\",instance=\"\",job=\"j\",l=\"%s\"} 1 # {t=\"%d\"} 2 3\n"
				"c_created{a=\"%d\",instance=\"\",job=\"j\",l=\"%s\"} %d.5\n",
				i, value, i, i, value, i);
	}
	buf_append_string(&body, "# EOF\n");
	buf_append_string(&wanted, "# EOF\n");
	buf_append_byte(&body, '\0');
	put_open(&d, "job=j", body.ptr);
	struct slice page = store_driver_page(&d);
	CHECK(slice_equal(slice_skip(page, sizeof("# TYPE c counter\n") - 1), buf_slice(&wanted)));
	buf_finish(&body);
	buf_finish(&wanted);
	store_driver_finish(&d);
}

int main(void)
{
	RUN(test_all_types);
	RUN(test_text_becomes_openmetrics);
	RUN(test_names_are_taken);
	RUN(test_names_are_kept_free);
	RUN(test_created_gives_way);
	RUN(test_exemplar_with_nul);
	RUN(test_gauge_histogram_names);
	RUN(test_lines_together);
	RUN(test_unit);
	RUN(test_exemplar_names);
	RUN(test_large);
	return check_done();
}
