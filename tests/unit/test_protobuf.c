/*
 * Delimited protobuf: what bodies come to, and what is refused in which words.
 * Every body ends where the readable memory does.
 */

#include "base/hash.h"
#include "check.h"
#include "format/protobuf_parse.h"
#include "guard.h"
#include "unit/protobuf_dump.h"
#include "unit/protobuf_text.h"

enum { BODY_MAX = 1 << 20 };

static const struct format_options limits = {
	.samples = 1000,
	.labels = 20,
	.label_bytes = 1000,
};

static struct guard guard;
static struct arena arena;

static enum format_result parse(struct slice body, struct batch *batch, struct format_error *error)
{
	return protobuf_parse(guard_copy(&guard, body), &limits, &arena, batch, error);
}

struct good_case {
	const char *body; /* see protobuf_text.h */
	const char *dump; /* see protobuf_dump.h */
};

static void check_good(const struct good_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct batch batch;
		struct format_error error = { 0 };
		int failures = check_failures;
		arena_reset(&arena);
		struct slice body = protobuf_text_body(&arena, cases[i].body);
		CHECK_INT(parse(body, &batch, &error), FORMAT_OK);
		if (failures == check_failures) {
			CHECK_STRING(protobuf_dump(&batch, &arena), cases[i].dump);
		} else {
			CHECK_STRING(error.what, "");
		}
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].body);
		}
	}
}

#define CHECK_GOOD(cases) check_good((cases), sizeof(cases) / sizeof((cases)[0]))

/* ---- What is taken ---- */

static void test_families(void)
{
	static const struct good_case cases[] = {
		{ "", "" },
		/* Types. None is a counter. */
		{ "1:\"m\" 3:0 4:{3:{1:1.5}}", "m counter\n  m{} 1.5\n" },
		{ "1:\"m\" 4:{3:{1:1.5}}", "m counter\n  m{} 1.5\n" },
		{ "1:\"m\" 3:1 4:{2:{1:1.5}}", "m gauge\n  m{} 1.5\n" },
		{ "1:\"m\" 3:3 4:{5:{1:1.5}}", "m untyped\n  m{} 1.5\n" },
		{ "1:\"m\" 3:4294967297 4:{2:{1:1.5}}", "m gauge\n  m{} 1.5\n" },
		/* A message of nothing is a value of 0. */
		{ "1:\"m\" 3:1 4:{2:{}}", "m gauge\n  m{} 0\n" },
		/* Several, and metrics in their order. */
		{ "1:\"b\" 3:1 4:{2:{1:2.0}} 4:{1:{1:\"x\" 2:\"y\"} 2:{1:1.0}}|1:\"a\" 3:0 4:{3:{1:3.0}}",
				"b gauge\n  b{} 2\n  b{x=y} 1\na counter\n  a{} 3\n" },
		/* Fields in any order. */
		{ "4:{2:{1:1.0} 1:{2:\"y\" 1:\"x\"}} 3:1 2:\"Help.\" 1:\"m\"",
				"m gauge Help.\n  m{x=y} 1\n" },
		/* HELP is escaped as a line has it, and made UTF-8; an empty one is none. */
		{ "1:\"m\" 2:\"a\\x5cb\\x0ac\\x22d\" 3:1 4:{2:{}}", "m gauge a\\\\b\\nc\"d\n  m{} 0\n" },
		{ "1:\"m\" 2:\"\\xff\\xc3\\xa9\\xc3\" 3:1 4:{2:{}}",
				"m gauge \xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\n  m{} 0\n" },
		{ "1:\"m\" 2:\"\" 3:1 4:{2:{}}", "m gauge\n  m{} 0\n" },
		/* Units. */
		{ "1:\"m_s\" 5:\"s\" 3:1 4:{2:{}}", "m_s gauge [s]\n  m_s{} 0\n" },
		{ "1:\"m\" 5:\"\" 3:1 4:{2:{}}", "m gauge\n  m{} 0\n" },
		{ "1:\"m\" 5:\"\\xff\" 3:1 4:{2:{}}", "m gauge\n  m{} 0\n" },
		/* Of singular fields the last counts. */
		{ "1:\"a\" 2:\"A.\" 3:0 4:{2:{1:1.0 1:2.0}} 1:\"b\" 2:\"B.\" 3:1",
				"b gauge B.\n  b{} 2\n" },
		/* Of messages of one name the last counts, whole. */
		{ "1:\"m\" 2:\"A.\" 3:1 4:{2:{1:1.0}} 4:{2:{1:2.0} 6:1}|1:\"m\" 4:{3:{1:3.0}}",
				"m counter\n  m{} 3\n" },
		{ "1:\"m\" 3:1 4:{2:{1:1.0}}|1:\"n\" 3:1 4:{2:{}}|1:\"m\"", "n gauge\n  n{} 0\n" },
		{ "1:\"h\" 3:4 4:{1:{1:\"le\" 2:\"1\"} 7:{}}|1:\"h\" 3:1 4:{2:{}}", "h gauge\n  h{} 0\n" },
		/* Without metrics they are nothing. */
		{ "|", "" },
		{ "1:\"m\" 2:\"Help.\" 3:1", "" },
		{ "1:\"m\" 3:77", "" },
		{ "3:1|1:\"m\" 3:1 4:{2:{}}", "m gauge\n  m{} 0\n" },
	};
	CHECK_GOOD(cases);
}

static void test_names(void)
{
	static const struct good_case cases[] = {
		/* Any name is kept; text shows it escaped. */
		{ "1:\"a b\\x0a\" 3:1 4:{2:{}}", "a b\\n gauge\n  a b\\n{} 0\n" },
		{ "1:\"a\\x22b\\x5c\" 3:1 4:{2:{}}", "a\\\"b\\\\ gauge\n  a\\\"b\\\\{} 0\n" },
		{ "1:\"\xc3\xa9.x\" 3:1 4:{2:{}}", "\xc3\xa9.x gauge\n  \xc3\xa9.x{} 0\n" },
		{ "1:\"\\xff\\xfe\" 3:1 4:{2:{}}",
				"\xef\xbf\xbd\xef\xbf\xbd gauge\n  \xef\xbf\xbd\xef\xbf\xbd{} 0\n" },
		/* Two that become the same name are the same family. */
		{ "1:\"\\xff\" 3:1 4:{2:{1:1.0}}|1:\"\\xfe\" 3:1 4:{2:{1:2.0}}",
				"\xef\xbf\xbd gauge\n  \xef\xbf\xbd{} 2\n" },
		/* Labels are sorted; their names may be any UTF-8. */
		{ "1:\"m\" 3:1 4:{1:{1:\"z\" 2:\"1\"} 1:{1:\"a\" 2:\"2\"} 2:{}}",
				"m gauge\n  m{a=2,z=1} 0\n" },
		{ "1:\"m\" 3:1 4:{1:{1:\"a.b\" 2:\"1\"} 1:{1:\"a_b\" 2:\"2\"} 2:{}}",
				"m gauge\n  m{a.b=1,a_b=2} 0\n" },
		{ "1:\"m\" 3:1 4:{1:{1:\"a\\x22\" 2:\"x\\x0ay\\x5c\\x22\"} 2:{}}",
				"m gauge\n  m{a\\\"=x\\ny\\\\\\\"} 0\n" },
		/* In the order of their escaped names: a backslash is behind letters' capitals. */
		{ "1:\"m\" 3:1 4:{1:{1:\"\\x22\" 2:\"1\"} 1:{1:\"A\" 2:\"2\"} 2:{}}",
				"m gauge\n  m{A=2,\\\"=1} 0\n" },
		{ "1:\"m\" 3:1 4:{1:{1:\"a\"} 2:{}}", "m gauge\n  m{a=} 0\n" },
		{ "1:\"m\" 3:1 4:{1:{1:\"le\" 2:\"x\"} 1:{1:\"quantile\" 2:\"y\"} 2:{}}",
				"m gauge\n  m{le=x,quantile=y} 0\n" },
	};
	CHECK_GOOD(cases);
}

static void test_wire(void)
{
	static const struct good_case cases[] = {
		/* Unknown fields, groups among them, and known ones of another type. */
		{ "99:1 1:\"m\" 98:2.5 97:\"x\" 96:%7 3:1 4:{2:{} 95:{1:2}}", "m gauge\n  m{} 0\n" },
		{ "536870911:1 1:\"m\" 3:1 4:{2:{}}", "m gauge\n  m{} 0\n" },
		{ "1:\"m\" 3:1 9:<1:<2:\"x\" 3:%1 5:1.5> 1:1> 4:{2:{}}", "m gauge\n  m{} 0\n" },
		{ "1:\"m\" 1:5 3:1 3:\"x\" 4:{2:{}} 4:7", "m gauge\n  m{} 0\n" },
		{ "1:\"m\" 3:1 4:{2:{1:2.0 1:9} 2:5 1:3}", "m gauge\n  m{} 2\n" },
		{ "1:\"m\" 3:1 4:{1:{1:\"a\" 2:\"b\" 3:\"c\" 1:7} 2:{}}", "m gauge\n  m{a=b} 0\n" },
		/* A message in two pieces. */
		{ "1:\"m\" 3:1 4:{2:{1:1.0} 2:{}}", "m gauge\n  m{} 1\n" },
		{ "1:\"m\" 4:{3:{1:1.0 2:{1:{1:\"a\" 2:\"b\"}}} 3:{2:{2:3.0 1:{1:\"c\" 2:\"d\"}}}}",
				"m counter\n  m{} 1 # {a=\"b\",c=\"d\"} 3\n" },
		{ "1:\"m\" 4:{3:{3:{1:5}} 3:{3:{2:500000000}}}", "m counter\n  m{} 0 created 5.5\n" },
		{ "1:\"h\" 3:4 4:{7:{1:3 3:{1:1 2:1.0}} 7:{2:4.5 3:{1:2 2:2.0}}}",
				"h histogram\n  h_bucket{le=1} 1\n  h_bucket{le=2} 2\n  h_bucket{le=+Inf} 3\n"
				"  h_sum{} 4.5\n  h_count{} 3\n" },
		/* But two quantiles are two. */
		{ "1:\"s\" 3:2 4:{4:{3:{1:0.5} 3:{1:0.9 2:1.0}}}",
				"s summary\n  s{quantile=0.5} 0\n  s{quantile=0.9} 1\n  s_sum{} 0\n"
				"  s_count{} 0\n" },
	};
	CHECK_GOOD(cases);
}

static void test_values(void)
{
	static const struct good_case cases[] = {
		{ "1:\"m\" 3:1 4:{2:{1:nan}} 4:{2:{1:inf}} 4:{2:{1:-inf}} 4:{2:{1:-0.0}}",
				"m gauge\n  m{} NaN\n  m{} +Inf\n  m{} -Inf\n  m{} 0\n" },
		{ "1:\"m\" 3:1 4:{2:{1:0.1}} 4:{2:{1:999999.0}} 4:{2:{1:1000000.0}} 4:{2:{1:.00001}}",
				"m gauge\n  m{} 0.1\n  m{} 999999\n  m{} 1e+06\n  m{} 1e-05\n" },
		{ "1:\"m\" 3:1 4:{2:{1:123456789.0}} 4:{2:{1:-17.0}} 4:{2:{1:12345678901234567890.0}}",
				"m gauge\n  m{} 1.23456789e+08\n  m{} -17\n  m{} 1.2345678901234567e+19\n" },
		/* Timestamps, 0 among them. */
		{ "1:\"m\" 3:1 4:{2:{} 6:1000}", "timestamps\nm gauge\n  m{} 0\n" },
		{ "1:\"m\" 3:1 4:{2:{} 6:0}", "timestamps\nm gauge\n  m{} 0\n" },
		{ "1:\"m\" 3:1 4:{2:{} 6:-1}", "timestamps\nm gauge\n  m{} 0\n" },
	};
	CHECK_GOOD(cases);
}

static void test_summaries(void)
{
	static const struct good_case cases[] = {
		{ "1:\"s\" 3:2 4:{4:{}}", "s summary\n  s_sum{} 0\n  s_count{} 0\n" },
		{ "1:\"s\" 3:2 4:{1:{1:\"a\" 2:\"b\"} 1:{1:\"z\" 2:\"y\"} 4:{1:7 2:1.5 3:{1:0.9 2:2.0} "
		  "3:{1:0.5 2:nan}}}",
				"s summary\n  s{a=b,quantile=0.9,z=y} 2\n  s{a=b,quantile=0.5,z=y} NaN\n"
				"  s_sum{a=b,z=y} 1.5\n  s_count{a=b,z=y} 7\n" },
		{ "1:\"s\" 3:2 4:{4:{1:18446744073709551615 3:{1:-0.0} 3:{1:1.0}}}",
				"s summary\n  s{quantile=0} 0\n  s{quantile=1} 0\n  s_sum{} 0\n"
				"  s_count{} 18446744073709551615\n" },
		{ "1:\"s\" 3:2 4:{4:{3:{1:nan 2:1.0} 3:{1:nan 2:2.0} 3:{1:0.5}}}",
				"s summary\n  s{quantile=0.5} 0\n  s_sum{} 0\n  s_count{} 0\n" },
		{ "1:\"s\" 3:2 4:{4:{4:{1:1700000000 2:120000000}}}",
				"s summary\n  s_sum{} 0\n  s_count{} 0 created 1700000000.12\n" },
		{ "1:\"s\" 3:2 4:{4:{3:{1:0.5} 3:{1:0.9} 3:{1:0.5}}}",
				"fault collected metric \"s\" has two samples with quantile=\"0.5\" and otherwise"
				" the same labels (no trace)\ns summary\n  s_sum{} 0\n  s_count{} 0\n" },
	};
	CHECK_GOOD(cases);
}

static void test_histograms(void)
{
	static const struct good_case cases[] = {
		{ "1:\"h\" 3:4 4:{7:{}}",
				"h histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} 0\n" },
		{ "1:\"h\" 3:5 4:{7:{1:3}}",
				"h gaugehistogram\n  h_bucket{le=+Inf} 3\n  h_sum{} 0\n  h_count{} 3\n" },
		/* As pushed, +Inf where it was. */
		{ "1:\"h\" 3:4 4:{1:{1:\"a\" 2:\"b\"} 1:{1:\"z\" 2:\"y\"} 7:{1:20 2:99.23 "
		  "3:{1:17 2:500000.0} 3:{1:3 2:250000.0}}}",
				"h histogram\n  h_bucket{a=b,le=500000,z=y} 17\n  h_bucket{a=b,le=250000,z=y} 3\n"
				"  h_bucket{a=b,le=+Inf,z=y} 20\n  h_sum{a=b,z=y} 99.23\n"
				"  h_count{a=b,z=y} 20\n" },
		{ "1:\"h\" 3:4 4:{7:{1:5 3:{1:4 2:inf} 3:{1:3 2:1000000.0}}}",
				"h histogram\n  h_bucket{le=+Inf} 4\n  h_bucket{le=1e+06} 3\n  h_sum{} 0\n"
				"  h_count{} 5\n" },
		{ "1:\"h\" 3:4 4:{7:{3:{2:-inf} 3:{2:-1.5} 3:{2:-0.0}}}",
				"h histogram\n  h_bucket{le=-Inf} 0\n  h_bucket{le=-1.5} 0\n  h_bucket{le=0} 0\n"
				"  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} 0\n" },
		/* Float counts count when above 0. */
		{ "1:\"h\" 3:4 4:{7:{1:7 4:2.5 3:{1:7 4:1.5 2:1.0} 3:{1:2 4:-1.0 2:2.0} 3:{1:2 4:nan "
		  "2:3.0}}}",
				"h histogram\n  h_bucket{le=1} 1.5\n  h_bucket{le=2} 2\n  h_bucket{le=3} 2\n"
				"  h_bucket{le=+Inf} 2.5\n  h_sum{} 0\n  h_count{} 2.5 native "
				"2100000000000004400807\n" },
		{ "1:\"h\" 3:4 4:{7:{1:7 4:0.0}}",
				"h histogram\n  h_bucket{le=+Inf} 7\n  h_sum{} 0\n  h_count{} 7 native "
				"210000000000000000\n" },
		/* A bound that is no number is none. */
		{ "1:\"h\" 3:4 4:{7:{1:1 3:{1:1 2:nan} 3:{1:1 2:nan}}}",
				"h histogram\n  h_bucket{le=+Inf} 1\n  h_sum{} 0\n  h_count{} 1\n" },
		{ "1:\"h\" 3:4 4:{7:{3:{2:1.0} 3:{2:2.0} 3:{2:1.0}}}",
				"fault collected metric \"h\" has two samples with le=\"1\" and otherwise the same"
				" labels (no trace)\nh histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n"
				"  h_count{} 0\n" },
		{ "1:\"h\" 3:4 4:{7:{3:{2:0.0} 3:{2:-0.0}}}",
				"fault collected metric \"h\" has two samples with le=\"0\" and otherwise the same"
				" labels (no trace)\nh histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n"
				"  h_count{} 0\n" },
		/* Two equal series are found later. */
		{ "1:\"h\" 3:4 4:{7:{}} 4:{7:{}}",
				"h histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} 0\n"
				"  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} 0\n" },
	};
	CHECK_GOOD(cases);
}

static void test_exemplars(void)
{
	static const struct good_case cases[] = {
		{ "1:\"m\" 4:{3:{1:1.0 2:{}}}", "m counter\n  m{} 1 # {} 0\n" },
		{ "1:\"m\" 4:{3:{2:{1:{1:\"trace_id\" 2:\"x\\x22y\\x0a\\x5c\"} 2:0.5 3:{1:1520879607 "
		  "2:789000000}}}}",
				"m counter\n  m{} 0 # {trace_id=\"x\\\"y\\n\\\\\"} 0.5 1520879607.789\n" },
		{ "1:\"h\" 3:4 4:{7:{3:{2:1.0 3:{1:{1:\"z\" 2:\"1\"} 1:{1:\"a\"} 2:0.25 3:{}}}}}",
				"h histogram\n  h_bucket{le=1} 0 # {z=\"1\",a=\"\"} 0.25 0\n"
				"  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} 0\n" },
		/* Times. */
		{ "1:\"m\" 4:{3:{3:{1:-1 2:500000000}}} 4:{3:{3:{1:-1}}} 4:{3:{3:{1:-2 2:999999999}}} "
		  "4:{3:{3:{2:1}}} 4:{3:{3:{1:-62135596800}}} 4:{3:{3:{1:253402300799 2:999999999}}}",
				"m counter\n  m{} 0 created -0.5\n  m{} 0 created -1\n"
				"  m{} 0 created -1.000000001\n  m{} 0 created 0.000000001\n"
				"  m{} 0 created -62135596800\n  m{} 0 created 253402300799.999999999\n" },
		{ "1:\"m\" 4:{3:{3:{2:-1}}} 4:{3:{3:{2:1000000000}}} 4:{3:{3:{1:-62135596801}}} "
		  "4:{3:{3:{1:253402300800}}} 4:{3:{2:{3:{2:-1}}}}",
				"m counter\n  m{} 0\n  m{} 0\n  m{} 0\n  m{} 0\n  m{} 0\n" },
		/* What OpenMetrics cannot say. */
		{ "1:\"m\" 4:{3:{2:{1:{1:\"a.b\"}}}} 4:{3:{2:{1:{}}}} 4:{3:{2:{1:{1:\"a\" 2:\"\\xff\"}}}} "
		  "4:{3:{2:{1:{1:\"a\"} 1:{1:\"b\"} 1:{1:\"a\"}}}}",
				"m counter\n  m{} 0\n  m{} 0\n  m{} 0\n  m{} 0\n" },
		/* Gauges have none. */
		{ "1:\"m\" 3:1 4:{2:{2:{2:1.0} 3:{1:1}}}", "m gauge\n  m{} 0\n" },
	};
	CHECK_GOOD(cases);
}

/* 128 characters are allowed, however many bytes they are. */
static void test_long_exemplars(void)
{
	for (size_t characters = 127; characters <= 129; characters++) {
		char value[512] = "";
		char text[1024];
		for (size_t i = 2; i < characters; i++) {
			strcat(value, "\xc3\xa9");
		}
		snprintf(text, sizeof(text), "1:\"m\" 4:{3:{2:{1:{1:\"ab\" 2:\"%s\"}}}}", value);
		struct batch batch;
		struct format_error error;
		arena_reset(&arena);
		CHECK_INT(parse(protobuf_text_body(&arena, text), &batch, &error), FORMAT_OK);
		CHECK_INT(batch.families->samples[0].extra != NULL, characters <= 128);
	}
}

static void test_native(void)
{
	static const struct good_case cases[] = {
		/* schema, spans and deltas or counts are kept as they came. */
		{ "1:\"h\" 3:4 4:{7:{1:4 2:3.0 5:~1 12:{1:~0 2:2} 13:[~2 ~0]}}",
				"h histogram\n  h_bucket{le=+Inf} 4\n  h_sum{} 3\n  h_count{} 4 native "
				"28026204080010026a020400\n" },
		{ "1:\"h\" 3:4 4:{7:{1:4 2:3.0 5:~1 12:{1:~0 2:2} 13:~2 13:~0}}",
				"h histogram\n  h_bucket{le=+Inf} 4\n  h_sum{} 3\n  h_count{} 4 native "
				"280262040800100268046800\n" },
		{ "1:\"h\" 3:5 4:{7:{4:0.5 14:[0.5] 12:{2:1} 1:3 99:1 15:{1:5} 2:3.0}}",
				"h gaugehistogram\n  h_bucket{le=+Inf} 0.5\n  h_sum{} 3\n  h_count{} 0.5 created 5"
				" native 21000000000000e03f7208000000000000e03f620210010803\n" },
		/* Without any observations: a span of no buckets says that it is native. */
		{ "1:\"h\" 3:4 4:{7:{5:~3 12:{}}}",
				"h histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} 0 native "
				"28066200\n" },
		/* Classic buckets beside it; of exemplars those that can be said. */
		{ "1:\"h\" 3:4 4:{7:{1:1 3:{1:1 2:1.0} 6:0.5 7:1 16:{3:{1:1}} 16:{1:{}}}}",
				"h histogram\n  h_bucket{le=1} 1\n  h_bucket{le=+Inf} 1\n  h_sum{} 0\n  h_count{}"
				" 1 native 31000000000000e03f38018201041a020801\n" },
	};
	CHECK_GOOD(cases);
}

/* Of a histogram whose fields are these, what is said about its native part. */
struct native_case {
	const char *fields;
	const char *problem; /* behind "has an invalid native histogram: "; NULL: none */
};

static void test_invalid_native(void)
{
	static const struct native_case cases[] = {
		/* Pushgateway's own tests. */
		{ "4:20.0 2:99.23 5:~1 9:{1:~0 2:2} 9:{1:~0 2:2} 11:2.0 11:2.0 11:-2.0 11:0.0 "
		  "12:{1:~0 2:2} 12:{1:~0 2:2} 14:2.0 14:2.0 14:-2.0 14:0.0",
				NULL },
		{ "1:20 2:99.23 5:~1 9:{1:~0 2:2} 9:{1:~0 2:2} 10:[~0 ~2 ~-2 ~0] 12:{1:~0 2:2} "
		  "12:{1:~0 2:2} 13:[~0 ~2 ~-2 ~0]",
				NULL },
		/* None at all. */
		{ "5:~100", NULL },
		{ "8:-1.0", NULL },
		{ "5:~8 12:{2:0}", NULL },
		{ "5:~-4 6:0.1", NULL },
		{ "5:~9 12:{2:0}", "its schema is 9, not one from -4 to 8" },
		{ "5:~-5 6:0.1", "its schema is -5, not one from -4 to 8" },
		{ "5:~-53 12:{2:0}", "its schema is -53, not one from -4 to 8" },
		{ "12:{} 6:-0.5", "its zero threshold is below 0 or no number" },
		{ "12:{} 6:nan", "its zero threshold is below 0 or no number" },
		{ "12:{} 6:inf", NULL },
		{ "12:{} 4:-1.0 8:1.0", "its count or its zero count is below 0" },
		{ "12:{} 4:1.0 8:-1.0", "its count or its zero count is below 0" },
		/* Spans. */
		{ "1:9 12:{2:1} 12:{1:~-1 2:1} 13:[~1 ~0]",
				"a span of its positive buckets has an offset below 0" },
		{ "1:9 9:{1:~-5 2:1} 9:{1:~-1 2:1} 10:[~1 ~0]",
				"a span of its negative buckets has an offset below 0" },
		{ "1:2 12:{1:~-5 2:1} 12:{1:~5 2:1} 13:[~1 ~0]", NULL },
		{ "1:1 12:{1:~2147483647 2:1} 13:[~1]", NULL },
		{ "1:2 12:{1:~2147483647 2:2} 13:[~1 ~0]", "its positive buckets are beyond all numbers" },
		{ "1:1 12:{1:~-2147483648 2:1} 13:[~1]", NULL },
		{ "1:4 12:{2:5} 13:[~2 ~0]",
				"the spans of its positive buckets have room for 5, but 2 deltas are there" },
		{ "1:4 12:{2:1} 13:[~2 ~0]",
				"the spans of its positive buckets have room for 1, but 2 deltas are there" },
		{ "1:4 13:[~2 ~0]",
				"the spans of its positive buckets have room for 0, but 2 deltas are there" },
		{ "4:4.0 9:{2:2} 11:[1.0] 11:2.0 11:3.0",
				"the spans of its negative buckets have room for 2, but 3 counts are there" },
		/* Of the other kind than its count. */
		{ "1:4 12:{2:2} 14:[2.0 2.0]",
				"the spans of its positive buckets have room for 2, but 0 deltas are there" },
		{ "4:4.0 12:{2:2} 13:[~2 ~0]",
				"the spans of its positive buckets have room for 2, but 0 counts are there" },
		{ "1:4 12:{2:2} 13:[~2 ~0] 14:[1.0]", NULL },
		{ "12:{2:4294967295} 12:{2:4294967295}", "its positive buckets are beyond all numbers" },
		{ "12:{2:2147483648}",
				"the spans of its positive buckets have room for 2147483648, but 0 deltas are "
				"there" },
		/* Counts. */
		{ "1:4 12:{2:2} 13:[~2 ~-3]", "the deltas of its positive buckets lead below 0" },
		{ "1:4 9:{2:3} 10:[~9223372036854775807 ~9223372036854775807 ~1]",
				"the deltas of its negative buckets lead below 0" },
		{ "1:3 12:{2:2} 13:[~2 ~0]", "it has 4 observations in its buckets, but a count of 3" },
		{ "1:3 7:4", "it has 4 observations in its buckets, but a count of 3" },
		{ "1:5 7:1 9:{2:1} 10:[~2] 12:{2:1} 13:[~2]", NULL },
		{ "1:4 7:1 9:{2:1} 10:[~2] 12:{2:1} 13:[~2]",
				"it has 5 observations in its buckets, but a count of 4" },
		{ "1:18446744073709551614 7:18446744073709551615 12:{2:1} 13:[~1]",
				"it has 18446744073709551615 observations in its buckets, but a count of "
				"18446744073709551614" },
		{ "4:1.0 12:{2:2} 14:[2.0 nan]", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct batch batch;
		struct format_error error;
		char text[1024];
		int failures = check_failures;
		arena_reset(&arena);
		snprintf(text, sizeof(text), "1:\"h\" 3:4 4:{7:{%s}}", cases[i].fields);
		CHECK_INT(parse(protobuf_text_body(&arena, text), &batch, &error), FORMAT_OK);
		const struct sample_extra *extra = batch.families->samples[0].extra;
		struct slice problem = extra == NULL ? SLICE("") : extra->problem;
		struct slice prefix = SLICE("has an invalid native histogram: ");
		if (slice_starts_with(problem, prefix)) {
			problem = slice_skip(problem, prefix.len);
		}
		CHECK_STRING(problem, cases[i].problem == NULL ? "" : cases[i].problem);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].fields);
		}
	}
}

/* ---- What is refused ---- */

static void test_problems(void)
{
	static const struct good_case cases[] = {
		/* Another kind than the family's, or none. */
		{ "1:\"m\" 4:{2:{1:5.0}}", "m counter\n  m{} 5 problem (gauge) is not a COUNTER\n" },
		{ "1:\"m\" 3:1 4:{}", "m gauge\n  m{} 0 problem (-) is not a GAUGE\n" },
		{ "1:\"m\" 3:1 4:{} 4:{3:{1:2.0}} 4:{}",
				"m gauge\n  m{} 0 problem (-) is not a GAUGE\n"
				"  m{} 2 problem (counter) is not a GAUGE\n"
				"  m{} 0 problem (-) is not a GAUGE\n" },
		{ "1:\"m\" 3:2 4:{5:{1:3.0} 7:{1:4}}",
				"m summary\n  m{} 3 problem (untyped) is not a SUMMARY\n" },
		{ "1:\"m\" 3:3 4:{4:{1:4}}", "m untyped\n  m{} 4 problem (summary) is not a UNTYPED\n" },
		{ "1:\"m\" 3:4 4:{4:{1:4}}",
				"m histogram\n  m{} 4 problem (summary) is not a HISTOGRAM\n" },
		{ "1:\"m\" 3:5 4:{2:{1:1.0}}",
				"m gaugehistogram\n  m{} 1 problem (gauge) is not a GAUGE_HISTOGRAM\n" },
		{ "1:\"m\" 3:1 4:{7:{1:4}}", "m gauge\n  m{} 4 problem (histogram) is not a GAUGE\n" },
		/* More than one is taken when the right one is there. */
		{ "1:\"m\" 3:1 4:{2:{1:1.0} 3:{1:2.0} 7:{}}", "m gauge\n  m{} 1\n" },
		/* Labels. */
		{ "1:\"m\" 3:1 4:{1:{1:\"a\" 2:\"1\"} 1:{1:\"b\"} 1:{1:\"a\" 2:\"2\"} 2:{}}",
				"m gauge\n  m{a=1,b=} 0 problem (gauge) has two or more labels with the same name: "
				"a\n" },
		{ "1:\"m\" 3:1 4:{1:{2:\"1\"} 2:{}}",
				"m gauge\n  m{} 0 problem (gauge) has a label with an invalid name: \n" },
		{ "1:\"m\" 3:1 4:{1:{1:\"__name__\" 2:\"c\"} 2:{}}",
				"m gauge\n  m{__name__=c} 0 problem (gauge) has a label with an invalid name: "
				"__name__\n" },
		{ "1:\"m\" 3:1 4:{1:{1:\"a\\xff\" 2:\"c\"} 2:{}}",
				"m gauge\n  m{a\xef\xbf\xbd=c} 0 problem (gauge) has a label with an invalid name: "
				"a\xef\xbf\xbd\n" },
		{ "1:\"m\" 3:1 4:{1:{1:\"a\" 2:\"\\xff\\x22\"} 2:{}}",
				"m gauge\n  m{a=\xef\xbf\xbd\\\"} 0 problem (gauge) has a label named \"a\" whose "
				"value"
				" is not utf8: \"\\xff\\\"\"\n" },
		{ "1:\"s\" 3:2 4:{1:{1:\"quantile\" 2:\"x\"} 4:{3:{1:0.5}}}",
				"s summary\n  s{quantile=0.5} 0 problem (summary) must not have an explicit "
				"\"quantile\" "
				"label\n  s_sum{} 0\n  s_count{} 0\n" },
		/* By the order of their names; what it is comes before. */
		{ "1:\"m\" 3:1 4:{1:{1:\"b\" 2:\"\\xff\"} 1:{1:\"a\" 2:\"\\xfe\"} 2:{}}",
				"m gauge\n  m{a=\xef\xbf\xbd,b=\xef\xbf\xbd} 0 problem (gauge) has a label named "
				"\"a\" "
				"whose value is not utf8: \"\\xfe\"\n" },
		{ "1:\"m\" 3:0 4:{1:{1:\"a\" 2:\"\\xff\"} 2:{}}",
				"m counter\n  m{a=\xef\xbf\xbd} 0 problem (gauge) is not a COUNTER\n" },
		/* A label of a histogram's lines would be there twice, whatever is checked. */
		{ "1:\"h\" 3:4 4:{1:{1:\"le\" 2:\"0.5\"} 7:{}}",
				"fault collected metric \"h\" must not have an explicit \"le\" label (no trace)\n"
				"h histogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} 0\n" },
		{ "1:\"h\" 3:5 4:{1:{1:\"le\" 2:\"0.5\"} 7:{}}",
				"fault collected metric \"h\" must not have an explicit \"le\" label (no trace)\n"
				"h gaugehistogram\n  h_bucket{le=+Inf} 0\n  h_sum{} 0\n  h_count{} 0\n" },
	};
	CHECK_GOOD(cases);
}

struct bad_case {
	struct slice body;
	size_t offset;
	const char *what;
	const char *hint;
};

#define CANNOT_PARSE                                                                               \
	"proto:\xc2\xa0"                                                                               \
	"cannot parse invalid wire-format data"
#define OVERFLOW                                                                                   \
	"proto:\xc2\xa0"                                                                               \
	"variable length integer overflow"

static void test_broken(void)
{
	static const struct bad_case cases[] = {
		/* Lengths of families. */
		{ SLICE_INIT("\x80"), 0, "unexpected EOF", "family 1" },
		{ SLICE_INIT("\x05"), 0, "unexpected EOF", "family 1" },
		{ SLICE_INIT("\x00\x05\x0a\x01m"), 1, "unexpected EOF", "family 2" },
		{ SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0, "unexpected EOF", "family 1" },
		{ SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 0, "unexpected EOF", "family 1" },
		{ SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), 0, OVERFLOW, "family 1" },
		{ SLICE_INIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 0, OVERFLOW, "family 1" },
		/* Fields of a family: cut off, of no number, of no type, not in a group. */
		{ SLICE_INIT("\x01\x0a"), 2, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x02\x0a\x01"), 3, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x01\x80"), 1, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x02\x00\x00"), 2, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x06\x80\x80\x80\x80\x10\x00"), 6, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x02\x0e\x00"), 2, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x02\x0f\x00"), 2, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x01\x0c"), 2, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x01\x0b"), 2, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x02\x0b\x14"), 3, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x04\x0b\x13\x0c\x14"), 4, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x08\x09\x00\x00\x00\x00\x00\x00\x00"), 2, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x04\x0d\x00\x00\x00"), 2, CANNOT_PARSE, "family 1" },
		{ SLICE_INIT("\x0b\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"), 2, CANNOT_PARSE,
				"family 1" },
		/* In messages further inside. */
		{ SLICE_INIT("\x08\x0a\x01m\x22\x03\x12\x01\x09"), 9, CANNOT_PARSE,
				"metric 1 of family 1, \"m\"" },
		{ SLICE_INIT("\x0a\x0a\x01m\x22\x00\x22\x03\x0a\x01\x0a"), 11, CANNOT_PARSE,
				"metric 2 of family 1, \"m\"" },
		{ SLICE_INIT("\x08\x0a\x01m\x22\x03\x3a\x01\x80"), 8, CANNOT_PARSE,
				"metric 1 of family 1, \"m\"" },
		/* Packed numbers. */
		{ SLICE_INIT("\x0a\x0a\x01m\x22\x05\x3a\x03\x6a\x01\x80"), 10, CANNOT_PARSE,
				"metric 1 of family 1, \"m\"" },
		{ SLICE_INIT("\x0a\x0a\x01m\x22\x05\x3a\x03\x72\x01\x00"), 10, CANNOT_PARSE,
				"metric 1 of family 1, \"m\"" },
		/* What cannot be exposed at all. */
		{ SLICE_INIT("\x02\x22\x00"), 1, "the metric family number 1 has no name", "family 1" },
		{ SLICE_INIT("\x00\x04\x0a\x00\x22\x00"), 2, "the metric family number 2 has no name",
				"family 2" },
		{ SLICE_INIT("\x07\x0a\x01m\x18\x06\x22\x00"), 1, "unknown metric type number 6",
				"family 1, \"m\"" },
		{ SLICE_INIT("\x10\x0a\x01m\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x22\x00"), 1,
				"unknown metric type number -1", "family 1, \"m\"" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct batch batch;
		struct format_error error = { 0 };
		int failures = check_failures;
		arena_reset(&arena);
		CHECK_INT(parse(cases[i].body, &batch, &error), FORMAT_E_SYNTAX);
		CHECK_STRING(error.what, cases[i].what);
		CHECK_STRING(error.hint, cases[i].hint);
		CHECK_INT(error.offset, cases[i].offset);
		CHECK_INT(error.line, 0);
		if (failures != check_failures) {
			fprintf(stderr, "of case %zu\n", i);
		}
	}
}

/* Groups are skipped, but not to any depth. */
static void test_deep_groups(void)
{
	for (size_t depth = 99; depth <= 101; depth++) {
		struct buf body;
		struct batch batch;
		struct format_error error;
		buf_init(&body, 0);
		wire_put_varint(&body, 2 * depth);
		for (size_t i = 0; i < 2 * depth; i++) {
			buf_append_byte(&body, i < depth ? '\x7b' : '\x7c');
		}
		arena_reset(&arena);
		CHECK_INT(parse(buf_slice(&body), &batch, &error),
				depth <= 100 ? FORMAT_OK : FORMAT_E_SYNTAX);
		buf_finish(&body);
	}
}

/* Every cut of a good body is refused or a shorter good one, and nothing behind it is read. */
static void test_cuts(void)
{
	struct arena text_arena;
	arena_init(&text_arena);
	struct slice body = protobuf_text_body(&text_arena,
			"1:\"m\" 2:\"H\" 3:1 5:\"u\" 4:{1:{1:\"a\" 2:\"b\"} 2:{1:1.5}}|1:\"h\" 3:4 "
			"4:{1:{1:\"a\"} "
			"7:{1:7 2:1.5 4:7.0 3:{1:1 2:2.0 4:1.5 3:{1:{1:\"x\" 2:\"y\"} 2:1.0 3:{1:5 2:5}}} "
			"5:~1 6:0.5 7:1 8:1.0 9:{1:~-1 2:1} 10:[~1] 11:[1.0] 12:{2:1} 13:~1 14:1.0 15:{1:1} "
			"16:{2:1.0}} 9:<1:<2:3>>}|1:\"s\" 3:2 4:{4:{1:1 2:1.0 3:{1:1.0 2:2.0} 4:{1:1}}}");
	for (size_t len = 0; len <= body.len; len++) {
		struct batch batch;
		struct format_error error = { 0 };
		arena_reset(&arena);
		enum format_result result = parse(slice_first(body, len), &batch, &error);
		CHECK(result == FORMAT_OK || error.what.len > 0);
		CHECK(result == FORMAT_OK || error.offset <= len);
		CHECK(len < body.len || result == FORMAT_OK);
	}
	arena_finish(&text_arena);
}

/* ---- Limits ---- */

static void check_limit(struct slice body, enum format_limit limit)
{
	struct batch batch;
	struct format_error error = { 0 };
	CHECK_INT(parse(body, &batch, &error), FORMAT_E_LIMIT);
	CHECK_INT(error.limit, limit);
}

/* A body of one family with that many times the same inside. */
static struct slice repeat(
		const char *before, const char *repeated, size_t count, const char *after)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, before);
	for (size_t i = 0; i < count; i++) {
		buf_append_string(&text, repeated);
	}
	buf_append_string(&text, after);
	buf_append_byte(&text, '\0');
	arena_reset(&arena);
	struct slice body = protobuf_text_body(&arena, text.ptr);
	buf_finish(&text);
	return body;
}

static void check_taken(struct slice body)
{
	struct batch batch;
	struct format_error error = { 0 };
	CHECK_INT(parse(body, &batch, &error), FORMAT_OK);
}

static void test_limits(void)
{
	check_taken(repeat("1:\"m\" 3:1 ", "4:{} ", 1000, ""));
	check_limit(repeat("1:\"m\" 3:1 ", "4:{} ", 1001, ""), FORMAT_LIMIT_SAMPLES);
	check_taken(repeat("", "1:\"m\" 3:1 4:{2:{}}|", 1000, ""));
	check_limit(repeat("", "1:\"m\" 3:1 4:{2:{}}|", 1001, ""), FORMAT_LIMIT_SAMPLES);
	check_taken(repeat("1:\"h\" 3:4 ", "4:{7:{}} ", 333, ""));
	check_limit(repeat("1:\"h\" 3:4 ", "4:{7:{}} ", 334, ""), FORMAT_LIMIT_SAMPLES);
	check_limit(repeat("1:\"h\" 3:4 4:{7:{", "3:{} ", 1001, "}}"), FORMAT_LIMIT_SAMPLES);
	check_limit(repeat("1:\"s\" 3:2 4:{4:{", "3:{} ", 1001, "}}"), FORMAT_LIMIT_SAMPLES);
	check_taken(repeat("1:\"m\" 3:1 4:{2:{} ", "1:{} ", 20, "}"));
	check_limit(repeat("1:\"m\" 3:1 4:{2:{} ", "1:{} ", 21, "}"), FORMAT_LIMIT_LABELS);
	check_taken(repeat("1:\"m\" 3:1 4:{2:{} 1:{1:\"", "a", 1000, "\"}}"));
	check_limit(repeat("1:\"m\" 3:1 4:{2:{} 1:{1:\"", "a", 1001, "\"}}"), FORMAT_LIMIT_LABEL_BYTES);
	check_limit(repeat("1:\"m\" 3:1 4:{2:{} 1:{2:\"", "a", 1001, "\"}}"), FORMAT_LIMIT_LABEL_BYTES);
	check_taken(repeat("3:1 4:{2:{}} 1:\"", "a", 1000, "\""));
	check_limit(repeat("3:1 4:{2:{}} 1:\"", "a", 1001, "\""), FORMAT_LIMIT_LABEL_BYTES);
}

/* Labels are once on the wire and in every sample of a batch. */
static void test_many_labels_of_buckets(void)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, "1:\"h\" 3:4 4:{");
	for (int i = 0; i < 19; i++) {
		buf_printf(&text, "1:{1:\"l%02d\" 2:\"\"} ", i);
	}
	buf_append_string(&text, "7:{");
	for (int i = 0; i < 900; i++) {
		buf_printf(&text, "3:{2:%d.0} ", i);
	}
	buf_append(&text, SLICE("}}\0"));
	arena_reset(&arena);
	check_limit(protobuf_text_body(&arena, text.ptr), FORMAT_LIMIT_SAMPLES);
	buf_finish(&text);
}

int main(void)
{
	hash_init();
	guard_init(&guard, BODY_MAX);
	arena_init(&arena);
	RUN(test_families);
	RUN(test_names);
	RUN(test_wire);
	RUN(test_values);
	RUN(test_summaries);
	RUN(test_histograms);
	RUN(test_exemplars);
	RUN(test_long_exemplars);
	RUN(test_native);
	RUN(test_invalid_native);
	RUN(test_problems);
	RUN(test_broken);
	RUN(test_deep_groups);
	RUN(test_cuts);
	RUN(test_limits);
	RUN(test_many_labels_of_buckets);
	arena_finish(&arena);
	guard_finish(&guard);
	return check_done();
}
