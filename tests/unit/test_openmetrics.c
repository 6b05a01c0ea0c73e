/*
 * OpenMetrics: what bodies come to, line by line.
 */

#include "base/hash.h"
#include "unit/openmetrics_driver.h"

static struct openmetrics_driver driver;

#define CHECK_GOOD(cases)                                                                          \
	openmetrics_check_good(&driver, (cases), sizeof(cases) / sizeof((cases)[0]))

/* ---- Bodies ---- */

static void test_ends(void)
{
	static const char *const bodies[] = { "# EOF", "# EOF\n", "m 1\n# EOF", "m 1\n# EOF\n",
		"# TYPE m gauge\n# EOF\n" };
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		CHECK_INT(openmetrics_try(&driver, slice_of_string(bodies[i])), FORMAT_OK);
		CHECK(driver.batch.is_openmetrics);
	}
}

static void test_nul_is_a_character(void)
{
	CHECK_INT(openmetrics_try(&driver, SLICE("# HELP m x\0y\nm{a=\"x\0y\"} 1\n# EOF")), FORMAT_OK);
	CHECK_SLICE(driver.batch.families->help, SLICE("x\0y"));
	CHECK_SLICE(driver.batch.families->samples[0].labels.pairs[0].value, SLICE("x\0y"));
}

static void test_lines_are_counted(void)
{
	CHECK_INT(openmetrics_try_case(&driver,
					  "# TYPE h histogram\nh_count 1\nh_bucket{le='+Inf'} 1\nh_created 5\n"
					  "h_sum 2\nm 1\n"),
			FORMAT_OK);
	const struct batch_family *h = driver.batch.families;
	CHECK_INT(h->samples[0].line, 3);
	CHECK_INT(h->samples[1].line, 5);
	CHECK_INT(h->samples[2].line, 2);
	CHECK_INT(h->next->samples[0].line, 6);
}

/* ---- Lines ---- */

static void test_values(void)
{
	static const struct openmetrics_good cases[] = {
		{ "m 1\n", "m unknown\n  m{} 1\n" },
		{ "m{} 1\n", "m unknown\n  m{} 1\n" },
		/* Values keep the digits they came with. */
		{ "a 007\nb -0\nc +5\nd 1.50\ne .5\nf 5.\n",
				"a unknown\n  a{} 007\nb unknown\n  b{} -0\nc unknown\n  c{} +5\nd unknown\n"
				"  d{} 1.50\ne unknown\n  e{} .5\nf unknown\n  f{} 5.\n" },
		{ "a 1e3\nb 1E+03\nc -1.5e-10\nd 1e-400\n",
				"a unknown\n  a{} 1e3\nb unknown\n  b{} 1E+03\nc unknown\n  c{} -1.5e-10\n"
				"d unknown\n  d{} 1e-400\n" },
		{ "a NaN\nb nan\nc +Inf\nd -inf\ne INF\nf Infinity\ng -infinity\n",
				"a unknown\n  a{} NaN\nb unknown\n  b{} nan\nc unknown\n  c{} +Inf\n"
				"d unknown\n  d{} -inf\ne unknown\n  e{} INF\nf unknown\n  f{} Infinity\n"
				"g unknown\n  g{} -infinity\n" },
		{ "a 18446744073709551616\n", "a unknown\n  a{} 18446744073709551616\n" },
		{ "a 0000000000000000000000000000000000000000000000000012\n",
				"a unknown\n  a{} 0000000000000000000000000000000000000000000000000012\n" },
	};
	CHECK_GOOD(cases);
}

static void test_labels(void)
{
	static const struct openmetrics_good cases[] = {
		{ "m{z='1',a='2'} 1\n", "m unknown\n  m{a=2,z=1} 1\n" },
		{ "m{a=''} 1\n", "m unknown\n  m{a=} 1\n" },
		{ "m{a=''} 1\nm 2\n", "m unknown\n  m{a=} 1\n  m{} 2\n" },
		{ "m{A_9b='x'} 1\n", "m unknown\n  m{A_9b=x} 1\n" },
		{ "m{a='}{,=# ',b=' # {'} 1\n", "m unknown\n  m{a=}{,=# ,b= # {} 1\n" },
		{ "m{a='\xc3\xa9\xf0\x9f\x98\x80'} 1\n", "m unknown\n  m{a=\xc3\xa9\xf0\x9f\x98\x80} 1\n" },
		{ "m{a='x\ty\rz'} 1\n", "m unknown\n  m{a=x\ty\rz} 1\n" },
		/* Escapes stay; a backslash that escapes nothing stands for itself. */
		{ "m{a='\\\\ \\' \\n'} 1\n", "m unknown\n  m{a=\\\\ \\\" \\n} 1\n" },
		{ "m{a='\\d\\x'} 1\n", "m unknown\n  m{a=\\\\d\\\\x} 1\n" },
		{ "m{a='\\\\d'} 1\n", "m unknown\n  m{a=\\\\d} 1\n" },
		{ "m{a='\\\\\\d'} 1\n", "m unknown\n  m{a=\\\\\\\\d} 1\n" },
		{ "m{a='\\\xc3\xa9'} 1\n", "m unknown\n  m{a=\\\\\xc3\xa9} 1\n" },
		{ "m{a='\\\\\\''} 1\n", "m unknown\n  m{a=\\\\\\\"} 1\n" },
		/* Bounds are bounds where they bound. */
		{ "m{le='x',quantile='y'} 1\n", "m unknown\n  m{le=x,quantile=y} 1\n" },
		{ "# TYPE s summary\ns_sum{le='x'} 1\n", "s summary\n  s_sum{le=x} 1\n" },
		{ "# TYPE c counter\nc_total{le='1.0'} 1\n", "c_total counter\n  c_total{le=1.0} 1\n" },
	};
	CHECK_GOOD(cases);
}

static void test_timestamps(void)
{
	static const struct openmetrics_good cases[] = {
		{ "m 1 1520879607.789\n", "timestamps\nm unknown\n  m{} 1\n" },
		{ "m 1 0\n", "timestamps\nm unknown\n  m{} 1\n" },
		{ "m 1 -1.5e3\n", "timestamps\nm unknown\n  m{} 1\n" },
		{ "m 1 .5\n", "timestamps\nm unknown\n  m{} 1\n" },
		{ "m 1 12345678901234567890.1234567890\n", "timestamps\nm unknown\n  m{} 1\n" },
		/* Points in the order of time, however many digits tell it. */
		{ "m 1 1\nm 2 2\nm 3 1e1\n", "timestamps\nm unknown\n  m{} 1\n  m{} 2\n  m{} 3\n" },
		{ "m 1 1.5\nm 2 2.25\n", "timestamps\nm unknown\n  m{} 1\n  m{} 2\n" },
		{ "m 1 -2\nm 2 -1.5\nm 3 0\n", "timestamps\nm unknown\n  m{} 1\n  m{} 2\n  m{} 3\n" },
		{ "m 1 1520879607.000000001\nm 2 1520879607.000000002\n",
				"timestamps\nm unknown\n  m{} 1\n  m{} 2\n" },
		{ "m 1 0.0000000001\nm 2 0.000000000101\n", "timestamps\nm unknown\n  m{} 1\n  m{} 2\n" },
		{ "m 1 9.99\nm 2 10\n", "timestamps\nm unknown\n  m{} 1\n  m{} 2\n" },
		{ "m 1 -1e-400\nm 2 0\nm 3 1e-400\n",
				"timestamps\nm unknown\n  m{} 1\n  m{} 2\n  m{} 3\n" },
		/* One metric with, one without. */
		{ "m{a='1'} 1\nm{a='2'} 2 5\n", "timestamps\nm unknown\n  m{a=1} 1\n  m{a=2} 2\n" },
		{ "# TYPE s summary\ns_count 1 5\ns_sum 2 5\ns_count 3 6\ns_sum 4 6.0\n",
				"timestamps\ns summary\n  s_sum{} 2\n  s_count{} 1\n  s_sum{} 4\n  s_count{} 3\n" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1 5\nh_bucket{le='1'} 1 6\n"
		  "h_bucket{le='+Inf'} 1 6\n",
				"timestamps\nh histogram\n  h_bucket{le=+Inf} 1\n  h_bucket{le=1} 1\n"
				"  h_bucket{le=+Inf} 1\n" },
		{ "# TYPE c counter\nc_total 1 5\nc_created 1 5\nc_total 2 6\nc_created 2 6\n",
				"timestamps\nc_total counter\n  c_total{} 1 created=1\n  c_total{} 2 created=2\n" },
		/* Nobody can tell the metric's labels of an info from its point's. */
		{ "# TYPE i info\ni_info{v='1'} 1 5\ni_info{v='2'} 1 4\ni_info{v='1'} 1 6\n",
				"timestamps\ni_info info\n  i_info{v=1} 1\n  i_info{v=2} 1\n  i_info{v=1} 1\n" },
	};
	CHECK_GOOD(cases);
}

/* ---- Metadata ---- */

static void test_metadata(void)
{
	static const struct openmetrics_good cases[] = {
		{ "# TYPE m gauge\n# UNIT m \n# HELP m \n", "" },
		{ "# TYPE m gauge\n# UNIT m \n# HELP m \nm 1\n", "m gauge\n  m{} 1\n" },
		{ "# HELP m_s Help.\n# UNIT m_s s\n# TYPE m_s gauge\nm_s 1\n",
				"m_s gauge unit=s help=Help.\n  m_s{} 1\n" },
		{ "# UNIT m_b_s b_s\nm_b_s 1\n", "m_b_s unknown unit=b_s\n  m_b_s{} 1\n" },
		{ "# TYPE i info\n# UNIT i \ni_info 1\n", "i_info info\n  i_info{} 1\n" },
		{ "# HELP m  two  blanks \nm 1\n", "m unknown help= two  blanks \n  m{} 1\n" },
		/* HELP lines of the text format escape no quotes. */
		{ "# HELP m a\\\\b\\nc\\'d\nm 1\n", "m unknown help=a\\\\b\\nc\"d\n  m{} 1\n" },
		{ "# HELP m 'q'\nm 1\n", "m unknown help=\"q\"\n  m{} 1\n" },
		{ "# HELP m \\\\'\nm 1\n", "m unknown help=\\\\\"\n  m{} 1\n" },
		{ "# HELP m \\x\\\nm 1\n", "m unknown help=\\\\x\\\\\n  m{} 1\n" },
		{ "# HELP m \\\\\\n\nm 1\n", "m unknown help=\\\\\\n\n  m{} 1\n" },
		{ "# HELP m # TYPE m gauge\nm 1\n", "m unknown help=# TYPE m gauge\n  m{} 1\n" },
		{ "# HELP m \xc3\xa9\nm 1\n", "m unknown help=\xc3\xa9\n  m{} 1\n" },
		/* Families without samples are dropped, whatever is known of them. */
		{ "# TYPE c counter\n# TYPE h histogram\n# TYPE i info\n# HELP x y\nm 1\n",
				"m unknown\n  m{} 1\n" },
	};
	CHECK_GOOD(cases);
}

static void test_types(void)
{
	static const struct openmetrics_good cases[] = {
		{ "# TYPE m unknown\nm 1\n", "m unknown\n  m{} 1\n" },
		{ "# TYPE m gauge\nm -1\n", "m gauge\n  m{} -1\n" },
		{ "# TYPE m counter\nm_total 1\n", "m_total counter\n  m_total{} 1\n" },
		{ "# TYPE m counter\nm_total +Inf\n", "m_total counter\n  m_total{} +Inf\n" },
		{ "# TYPE m counter\nm_total -0\n", "m_total counter\n  m_total{} -0\n" },
		{ "# TYPE m_s counter\n# UNIT m_s s\n# HELP m_s x\nm_s_total 1\n",
				"m_s_total counter unit=s help=x\n  m_s_total{} 1\n" },
		{ "# TYPE m info\nm_info{v='1'} 1\nm_info{v='2'} 1.0\nm_info{v='3'} 10e-1\n",
				"m_info info\n  m_info{v=1} 1\n  m_info{v=2} 1.0\n  m_info{v=3} 10e-1\n" },
		{ "# TYPE m info\nm_info 1\n", "m_info info\n  m_info{} 1\n" },
		{ "# TYPE m stateset\nm{m='a'} 1\nm{m='b'} 0.0\nm{m=''} 0\n",
				"m stateset\n  m{m=a} 1\n  m{m=b} 0.0\n  m{m=} 0\n" },
		{ "# TYPE m stateset\nm{e='1',m='a'} 1\nm{m='b',e='1'} 0\nm{e='2',m='a'} 0\n",
				"m stateset\n  m{e=1,m=a} 1\n  m{e=1,m=b} 0\n  m{e=2,m=a} 0\n" },
		{ "# TYPE a gauge\n# TYPE b counter\n# HELP b x\nb_total 1\nc 2\n# TYPE d gauge\nd 3\n",
				"b_total counter help=x\n  b_total{} 1\nc unknown\n  c{} 2\nd gauge\n  d{} 3\n" },
		/* A sample that cannot be one of the family begins the next, which is unknown. */
		{ "# TYPE m gauge\nm 1\nm_total 2\nm_sum 3\n",
				"m gauge\n  m{} 1\nm_total unknown\n  m_total{} 2\nm_sum unknown\n  m_sum{} 3\n" },
		{ "# TYPE m counter\nm_bucket 2\n", "m_bucket unknown\n  m_bucket{} 2\n" },
		{ "# HELP m x\nm_total 2\n", "m_total unknown\n  m_total{} 2\n" },
	};
	CHECK_GOOD(cases);
}

/* ---- Metrics of several samples ---- */

static void test_histograms(void)
{
	static const struct openmetrics_good cases[] = {
		{ "# TYPE h histogram\nh_bucket{le='1.0'} 1\nh_bucket{le='+Inf'} 2\nh_count 2\nh_sum 3\n",
				"h histogram\n  h_bucket{le=1} 1\n  h_bucket{le=+Inf} 2\n  h_sum{} 3\n  h_count{} "
				"2\n" },
		/* Nothing is made up. */
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 2\n", "h histogram\n  h_bucket{le=+Inf} 2\n" },
		{ "# TYPE h histogram\nh_sum 3\nh_bucket{le='1'} 1\nh_count 2.0\nh_bucket{le='+Inf'} 2\n",
				"h histogram\n  h_bucket{le=1} 1\n  h_bucket{le=+Inf} 2\n  h_sum{} 3\n  h_count{} "
				"2.0\n" },
		/* Bounds become Go's shortest form, whatever they were. */
		{ "# TYPE h histogram\nh_bucket{le='-1e0'} 0\nh_bucket{le='-0'} 0\nh_bucket{le='1e-05'} 0\n"
		  "h_bucket{le='0.0001'} 0\nh_bucket{le='.250'} 0\nh_bucket{le='010'} 0\n"
		  "h_bucket{le='100000.0'} 0\nh_bucket{le='1000000.0'} 0\nh_bucket{le='1.5e6'} 0\n"
		  "h_bucket{le='123456789'} 0\nh_bucket{le='+Inf'} 0\n",
				"h histogram\n  h_bucket{le=-1} 0\n  h_bucket{le=0} 0\n  h_bucket{le=1e-05} 0\n"
				"  h_bucket{le=0.0001} 0\n  h_bucket{le=0.25} 0\n  h_bucket{le=10} 0\n"
				"  h_bucket{le=100000} 0\n  h_bucket{le=1e+06} 0\n  h_bucket{le=1.5e+06} 0\n"
				"  h_bucket{le=1.23456789e+08} 0\n  h_bucket{le=+Inf} 0\n" },
		{ "# TYPE h histogram\nh_bucket{le='-inf'} 0\nh_bucket{le='0.0'} 0\n"
		  "h_bucket{le='0.00001'} 0\nh_bucket{le='0.10'} 0\nh_bucket{le='1.00'} 0\n"
		  "h_bucket{le='99999.0'} 0\nh_bucket{le='+Inf'} 0\n",
				"h histogram\n  h_bucket{le=-Inf} 0\n  h_bucket{le=0} 0\n  h_bucket{le=1e-05} 0\n"
				"  h_bucket{le=0.1} 0\n  h_bucket{le=1} 0\n  h_bucket{le=99999} 0\n"
				"  h_bucket{le=+Inf} 0\n" },
		/* Several metrics. */
		{ "# TYPE h histogram\nh_bucket{a='2',le='+Inf'} 1\nh_sum{a='2'} 1\nh_count{a='2'} 1\n"
		  "h_bucket{le='+Inf',a='1'} 1\nh_count{a='1'} 1\nh_sum{a='1'} 2\n",
				"h histogram\n  h_bucket{a=2,le=+Inf} 1\n  h_sum{a=2} 1\n  h_count{a=2} 1\n"
				"  h_bucket{a=1,le=+Inf} 1\n  h_sum{a=1} 2\n  h_count{a=1} 1\n" },
		/* Counts are compared digit by digit. */
		{ "# TYPE h histogram\nh_bucket{le='1'} 9007199254740993\n"
		  "h_bucket{le='+Inf'} 9007199254740993\nh_count 9007199254740993.0\nh_sum 1\n",
				"h histogram\n  h_bucket{le=1} 9007199254740993\n"
				"  h_bucket{le=+Inf} 9007199254740993\n  h_sum{} 1\n"
				"  h_count{} 9007199254740993.0\n" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 3e2\nh_count +300\nh_sum 0\n",
				"h histogram\n  h_bucket{le=+Inf} 3e2\n  h_sum{} 0\n  h_count{} +300\n" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='1'} 3\ng_bucket{le='+Inf'} 4\ng_gcount 4\n"
		  "g_gsum 5\n",
				"g gaugehistogram\n  g_bucket{le=1} 3\n  g_bucket{le=+Inf} 4\n  g_gsum{} 5\n"
				"  g_gcount{} 4\n" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='-1'} 3\ng_bucket{le='+Inf'} 4\ng_gsum -5\n"
		  "g_gcount 4\n",
				"g gaugehistogram\n  g_bucket{le=-1} 3\n  g_bucket{le=+Inf} 4\n  g_gsum{} -5\n"
				"  g_gcount{} 4\n" },
	};
	CHECK_GOOD(cases);
}

static void test_summaries(void)
{
	static const struct openmetrics_good cases[] = {
		{ "# TYPE s summary\ns_count 2\ns{quantile='0.99'} 2\ns_sum 3\ns{quantile='0.50'} NaN\n",
				"s summary\n  s{quantile=0.99} 2\n  s{quantile=0.5} NaN\n  s_sum{} 3\n  s_count{} "
				"2\n" },
		{ "# TYPE s summary\ns{quantile='0'} 0\ns{quantile='1.0'} +Inf\n",
				"s summary\n  s{quantile=0} 0\n  s{quantile=1} +Inf\n" },
		{ "# TYPE s summary\ns{quantile='-0.0'} 0\ns{quantile='5e-1'} 0\n",
				"s summary\n  s{quantile=0} 0\n  s{quantile=0.5} 0\n" },
		{ "# TYPE s summary\ns_sum 1.5\n", "s summary\n  s_sum{} 1.5\n" },
		{ "# TYPE s summary\ns_count 1\n", "s summary\n  s_count{} 1\n" },
		{ "# TYPE s summary\ns_count{a='1'} 1\ns_sum{a='1'} 1\ns_sum{a='2'} 2\ns_count{a='2'} 2\n",
				"s summary\n  s_sum{a=1} 1\n  s_count{a=1} 1\n  s_sum{a=2} 2\n  s_count{a=2} 2\n" },
	};
	CHECK_GOOD(cases);
}

static void test_created(void)
{
	static const struct openmetrics_good cases[] = {
		{ "# TYPE c counter\nc_total 1\nc_created 1520430000.123\n",
				"c_total counter\n  c_total{} 1 created=1520430000.123\n" },
		{ "# TYPE c counter\nc_created -5\nc_total 1\n",
				"c_total counter\n  c_total{} 1 created=-5\n" },
		{ "# TYPE c counter\nc_total{a='1'} 1\nc_created{a='1'} 1e9\nc_total{a='2'} 1\n",
				"c_total counter\n  c_total{a=1} 1 created=1e9\n  c_total{a=2} 1\n" },
		{ "# TYPE s summary\ns{quantile='0'} 0\ns_created 5\ns_sum 1\n",
				"s summary\n  s{quantile=0} 0\n  s_sum{} 1 created=5\n" },
		{ "# TYPE s summary\ns_sum 1\ns_created 5\ns{quantile='0'} 0\n",
				"s summary\n  s{quantile=0} 0\n  s_sum{} 1 created=5\n" },
		{ "# TYPE s summary\ns{quantile='0'} 0\ns_created 5\n",
				"s summary\n  s{quantile=0} 0 created=5\n" },
		{ "# TYPE s summary\ns_count 1\ns_created 5\ns_sum 1\n",
				"s summary\n  s_sum{} 1\n  s_count{} 1 created=5\n" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 2\nh_created 7\n",
				"h histogram\n  h_bucket{le=+Inf} 2 created=7\n" },
		/* A metric of nothing else is dropped. */
		{ "# TYPE s summary\ns_created 5\n", "" },
		{ "# TYPE s summary\ns_created{a='1'} 5\ns_sum{a='2'} 1\n", "s summary\n  s_sum{a=2} 1\n" },
		/* It is a gauge when it is said to be one. */
		{ "# TYPE c_created gauge\nc_created NaN\n", "c_created gauge\n  c_created{} NaN\n" },
	};
	CHECK_GOOD(cases);
}

static void test_exemplars(void)
{
	static const struct openmetrics_good cases[] = {
		{ "# TYPE c counter\nc_total 1 # {} 0.50\n", "c_total counter\n  c_total{} 1 # {} 0.50\n" },
		{ "# TYPE c counter\nc_total 1 # {trace_id='x',a='y'} NaN 1520879607.789\n",
				"c_total counter\n  c_total{} 1 # {trace_id=\"x\",a=\"y\"} NaN 1520879607.789\n" },
		{ "# TYPE c counter\nc_total 1 5 # {a='b'} -1 -5\n",
				"timestamps\nc_total counter\n  c_total{} 1 # {a=\"b\"} -1 -5\n" },
		{ "# TYPE c counter\nc_total 1 # {a='} # {',b=' '} 1\nc_created 5\n",
				"c_total counter\n  c_total{} 1 # {a=\"} # {\",b=\" \"} 1 created=5\n" },
		{ "# TYPE c counter\nc_total 1 # {a='\\d\\n'} 1\n",
				"c_total counter\n  c_total{} 1 # {a=\"\\\\d\\n\"} 1\n" },
		{ "# TYPE h histogram\nh_bucket{le='1'} 1 # {a='b'} 1\nh_bucket{le='+Inf'} 2 # {} NaN\n",
				"h histogram\n  h_bucket{le=1} 1 # {a=\"b\"} 1\n  h_bucket{le=+Inf} 2 # {} NaN\n" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} 1 # {a='b'} +Inf\n",
				"g gaugehistogram\n  g_bucket{le=+Inf} 1 # {a=\"b\"} +Inf\n" },
		{ "# TYPE h histogram\nh_sum 1\nh_bucket{le='+Inf'} 1 # {a='b'} 1\nh_count 1\n",
				"h histogram\n  h_bucket{le=+Inf} 1 # {a=\"b\"} 1\n  h_sum{} 1\n  h_count{} 1\n" },
	};
	CHECK_GOOD(cases);
}

/* 128 characters, not bytes, of names and values unescaped. */
static void test_exemplar_of_full_length(void)
{
	struct buf body;
	buf_init(&body, 0);
	buf_append_string(&body, "# TYPE c counter\nc_total 1 # {a='\xe2\x98\x83\\n\\\\\\d");
	for (int i = 0; i < 128 - 1 - 5; i++) {
		buf_append_string(&body, "\xc3\xa9");
	}
	size_t len = body.len;
	buf_append(&body, SLICE("'} 1\n\0"));
	CHECK_INT(openmetrics_try_case(&driver, body.ptr), FORMAT_OK);
	body.len = len;
	buf_append(&body, SLICE("x'} 1\n\0"));
	CHECK_INT(openmetrics_try_case(&driver, body.ptr), FORMAT_E_SYNTAX);
	CHECK_STRING(driver.error.what, "an exemplar with 129 characters in its labels");
	buf_finish(&body);
}

/* ---- UTF-8 names ---- */

static void test_utf8_names(void)
{
	static const struct openmetrics_good cases[] = {
		{ "{'a.b'} 1\n", "a.b unknown\n  a.b{} 1\n" },
		{ "{'a.b','x.y'='z'} 1\n", "a.b unknown\n  a.b{x.y=z} 1\n" },
		{ "{x='1','a.b',y='2'} 1\n", "a.b unknown\n  a.b{x=1,y=2} 1\n" },
		{ "{x='1','a.b'} 1\n", "a.b unknown\n  a.b{x=1} 1\n" },
		{ "m{'x y'='1'} 1\n", "m unknown\n  m{x y=1} 1\n" },
		/* What needs no quotes is the same without. */
		{ "# TYPE 'm' gauge\n{'m'} 1\nm{'a'='2'} 2\nm{a='3'} 3\n",
				"m gauge\n  m{} 1\n  m{a=2} 2\n  m{a=3} 3\n" },
		{ "# TYPE 'a.b' gauge\n# HELP 'a.b' Help.\n{'a.b'} 1\n",
				"a.b gauge help=Help.\n  a.b{} 1\n" },
		{ "# TYPE 'a.b_s' counter\n# UNIT 'a.b_s' s\n{'a.b_s_total'} 1\n{'a.b_s_created'} 5\n",
				"a.b_s_total counter unit=s\n  a.b_s_total{} 1 created=5\n" },
		{ "# TYPE 'h.h' histogram\n{'h.h_bucket',le='1.0'} 1\n{'h.h_bucket',le='+Inf'} 1\n"
		  "{'h.h_count'} 1\n{'h.h_sum'} 2\n",
				"h.h histogram\n  h.h_bucket{le=1} 1\n  h.h_bucket{le=+Inf} 1\n  h.h_sum{} 2\n"
				"  h.h_count{} 1\n" },
		{ "# TYPE 's s' stateset\n{'s s','s s'='a'} 1\n", "s s stateset\n  s s{s s=a} 1\n" },
		/* Names are kept escaped, like values. */
		{ "{'a\\'\\n\\\\b'} 1\n", "a\\\"\\n\\\\b unknown\n  a\\\"\\n\\\\b{} 1\n" },
		{ "# TYPE 'a\\d' gauge\n{'a\\\\d'} 1\n", "a\\\\d gauge\n  a\\\\d{} 1\n" },
		{ "{'\xc3\xa9'} 1\n", "\xc3\xa9 unknown\n  \xc3\xa9{} 1\n" },
		{ "{'{}'} 1\n", "{} unknown\n  {}{} 1\n" },
		{ "# TYPE c counter\nc_total 1 # {'a.b'='c'} 1\n",
				"c_total counter\n  c_total{} 1 # {\"a.b\"=\"c\"} 1\n" },
		{ "# TYPE c counter\nc_total 1 # {'ab'='c','\\d'='\\d'} 1 2\n",
				"c_total counter\n  c_total{} 1 # {ab=\"c\",\"\\\\d\"=\"\\\\d\"} 1 2\n" },
	};
	driver.options.utf8_names = true;
	CHECK_GOOD(cases);
	driver.options.utf8_names = false;
}

int main(void)
{
	hash_init();
	openmetrics_driver_init(&driver);
	RUN(test_ends);
	RUN(test_nul_is_a_character);
	RUN(test_lines_are_counted);
	RUN(test_values);
	RUN(test_labels);
	RUN(test_timestamps);
	RUN(test_metadata);
	RUN(test_types);
	RUN(test_histograms);
	RUN(test_summaries);
	RUN(test_created);
	RUN(test_exemplars);
	RUN(test_exemplar_of_full_length);
	RUN(test_utf8_names);
	openmetrics_driver_finish(&driver);
	return check_done();
}
