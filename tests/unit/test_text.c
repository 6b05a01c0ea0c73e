/*
 * The text format: what bodies come to, line by line, and what is refused in
 * which words. Every body ends where the readable memory does.
 */

#include <stdlib.h>

#include "base/hash.h"
#include "check.h"
#include "format/text_parse.h"
#include "guard.h"
#include "unit/text_dump.h"

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
	arena_reset(&arena);
	return text_parse(guard_copy(&guard, body), &limits, &arena, batch, error);
}

struct good_case {
	const char *body;
	const char *dump; /* see text_dump.h */
};

static void check_good(const struct good_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct batch batch;
		struct format_error error = { 0 };
		int failures = check_failures;
		CHECK_INT(parse(slice_of_string(cases[i].body), &batch, &error), FORMAT_OK);
		if (failures == check_failures) {
			CHECK_STRING(text_dump(&batch, &arena), cases[i].dump);
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

static void test_lines(void)
{
	static const struct good_case cases[] = {
		{ "", "" },
		{ "\n", "" },
		{ " \t\n\n", "" },
		{ "m 1\n", "m untyped\n  m{} 1\n" },
		{ " \tm\t 1\n", "m untyped\n  m{} 1\n" },
		{ "m{} 1\n", "m untyped\n  m{} 1\n" },
		{ "m {} 1\n", "m untyped\n  m{} 1\n" },
		{ "m{}1\n", "m untyped\n  m{} 1\n" },
		{ "m{a=\"b\"}1\n", "m untyped\n  m{a=b} 1\n" },
		{ "m { a = \"b\" , c=\"d\" , } 1\n", "m untyped\n  m{a=b,c=d} 1\n" },
		{ "m{c=\"d\",a=\"b\"} 1\n", "m untyped\n  m{a=b,c=d} 1\n" },
		{ "m{a=\"\"} 1\n", "m untyped\n  m{a=} 1\n" },
		{ "a:b_C9 1\n:x 2\n_ 3\n",
				"a:b_C9 untyped\n  a:b_C9{} 1\n:x untyped\n  :x{} 2\n_ untyped\n  _{} 3\n" },
		{ "m{a=\"1\"} 1\nn 2\nm{a=\"2\"} 3\n",
				"m untyped\n  m{a=1} 1\n  m{a=2} 3\nn untyped\n  n{} 2\n" },
		{ "m 1\nm 1\n", "m untyped\n  m{} 1\n  m{} 1\n" },
		{ "m 1 123\n", "timestamps\nm untyped\n  m{} 1\n" },
		{ "m 1 \t -9223372036854775808\n", "timestamps\nm untyped\n  m{} 1\n" },
		{ "m 1 +5\n", "timestamps\nm untyped\n  m{} 1\n" },
		/* Values keep the digits they came with. */
		{ "a Inf\nb +Inf\nc -inf\nd infinity\ne nan\nf NaN\n",
				"a untyped\n  a{} Inf\nb untyped\n  b{} +Inf\nc untyped\n  c{} -inf\n"
				"d untyped\n  d{} infinity\ne untyped\n  e{} nan\nf untyped\n  f{} NaN\n" },
		{ "a .5\nb 5.\nc 1E3\nd +1\ne -0\nf 1e-400\n",
				"a untyped\n  a{} .5\nb untyped\n  b{} 5.\nc untyped\n  c{} 1E3\n"
				"d untyped\n  d{} +1\ne untyped\n  e{} -0\nf untyped\n  f{} 1e-400\n" },
		/* Escapes stay as they are. */
		{ "m{a=\"\\\\ \\\" \\n\"} 1\n", "m untyped\n  m{a=\\\\ \\\" \\n} 1\n" },
		{ "m{a=\"x}y{z=,\"} 1\n", "m untyped\n  m{a=x}y{z=,} 1\n" },
		{ "m{a=\"# TYPE m gauge\"} 1\n", "m untyped\n  m{a=# TYPE m gauge} 1\n" },
		{ "m{a=\"\xc3\xa9\xf0\x9f\x98\x80\"} 1\n",
				"m untyped\n  m{a=\xc3\xa9\xf0\x9f\x98\x80} 1\n" },
		{ "m{a=\"\r\t\x01\"} 1\n", "m untyped\n  m{a=\r\t\x01} 1\n" },
		{ "m{__a=\"b\"} 1\n", "m untyped\n  m{__a=b} 1\n" },
		{ "m{le=\"x\",quantile=\"y\"} 1\n", "m untyped\n  m{le=x,quantile=y} 1\n" },
		/* Quoted names. */
		{ "{\"m\",a=\"b\"} 1\n", "m untyped\n  m{a=b} 1\n" },
		{ "{\"m\"} 1\n", "m untyped\n  m{} 1\n" },
		{ "{ \"m\" , } 1\n", "m untyped\n  m{} 1\n" },
		{ "{a=\"b\",\"m\"} 1\n", "m untyped\n  m{a=b} 1\n" },
		{ "m{\"a\"=\"b\"} 1\n", "m untyped\n  m{a=b} 1\n" },
		{ "\"m\"{a=\"b\"} 1\n", "m untyped\n  m{a=b} 1\n" },
	};
	CHECK_GOOD(cases);
}

static void test_comments(void)
{
	static const struct good_case cases[] = {
		{ "#\n# \n# anything\n#no blank\n# EOF\n# UNIT m seconds\n# type m gauge\n# help m x\n",
				"" },
		{ "# HELP\n# HELP m\n# HELP m \n# TYPE\n# TYPE m\n# TYPE m \n", "" },
		{ "# HELP m Help.\n# TYPE m gauge\n", "" },
		{ "# HELP m Help.\n# TYPE m gauge\nm 1\n", "m gauge Help.\n  m{} 1\n" },
		{ "#HELP m Help.\n#TYPE m counter\nm 1\n", "m counter Help.\n  m{} 1\n" },
		{ " #\tHELP\tm\t Help. \n m 1\n", "m untyped Help. \n  m{} 1\n" },
		{ "m 1\n# HELP m Later.\n", "m untyped Later.\n  m{} 1\n" },
		{ "# HELP m a\\\\b\\nc\\\"d\"e\nm 1\n", "m untyped a\\\\b\\nc\"d\"e\n  m{} 1\n" },
		{ "# HELP m \xff\xc3\xa9\xc3\nm 1\n",
				"m untyped \xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\n  m{} 1\n" },
		{ "# HELP m \xed\xa0\x80\nm 1\n",
				"m untyped \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n  m{} 1\n" },
		{ "# TYPE m COUNTER\nm 1\n", "m counter\n  m{} 1\n" },
		{ "# TYPE m Gauge\nm 1\n", "m gauge\n  m{} 1\n" },
		{ "# TYPE m untyped\nm 1\n", "m untyped\n  m{} 1\n" },
		{ "# TYPE m gau\\ge\nm 1\n", "m gauge\n  m{} 1\n" },
		{ "# HELP \"m\" Help.\nm 1\n", "m untyped Help.\n  m{} 1\n" },
		{ "# TYPE m gauge\n# TYPE n counter\nn 1\nm 2\n",
				"m gauge\n  m{} 2\nn counter\n  n{} 1\n" },
		/* Of families without samples nothing is left. */
		{ "# HELP m Help.\n# TYPE m gauge\nn 1\n", "n untyped\n  n{} 1\n" },
	};
	CHECK_GOOD(cases);
}

static void test_not_terminated(void)
{
	/* NUL is a byte like others. */
	struct batch batch;
	struct format_error error;
	CHECK_INT(parse(SLICE("m{a=\"x\0y\"} 1\n"), &batch, &error), FORMAT_OK);
	CHECK_SLICE(batch.families->samples[0].labels.pairs[0].value, SLICE("x\0y"));
}

/* ---- What is refused ---- */

struct bad_case {
	const char *body;
	size_t line;
	size_t column;
	const char *what;
};

static void check_bad(const struct bad_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct batch batch;
		struct format_error error = { 0 };
		int failures = check_failures;
		CHECK_INT(parse(slice_of_string(cases[i].body), &batch, &error), FORMAT_E_SYNTAX);
		CHECK_INT(error.line, cases[i].line);
		CHECK_INT(error.column, cases[i].column);
		CHECK_STRING(error.what, cases[i].what);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].body);
		}
	}
}

#define CHECK_BAD(cases) check_bad((cases), sizeof(cases) / sizeof((cases)[0]))

static void test_bad_lines(void)
{
	static const struct bad_case cases[] = {
		/* Names. */
		{ "1m 1\n", 1, 1, "invalid metric name" },
		{ "m 1\n  = 1\n", 2, 3, "invalid metric name" },
		{ "\xef\xbb\xbfm 1\n", 1, 1, "invalid metric name" },
		{ "{} 1\n", 1, 1, "invalid metric name" },
		{ "{a=\"b\"} 1\n", 1, 1, "invalid metric name" },
		{ "{\"a.b\"} 1\n", 1, 2, "invalid metric name \"a.b\"" },
		{ "{\"\"} 1\n", 1, 2, "invalid metric name \"\"" },
		{ "\"a b\" 1\n", 1, 1, "invalid metric name \"a b\"" },
		{ "# HELP a.b x\n", 1, 9, "invalid metric name in comment" },
		{ "# TYPE 1 gauge\n", 1, 8, "invalid metric name in comment" },
		{ "# TYPE \"a.b\" gauge\n", 1, 8, "invalid metric name \"a.b\"" },
		{ "{\"m\",\"n\"} 1\n", 1, 6, "multiple metric names for metric \"m\"" },
		{ "{\"m\"x} 1\n", 1, 5, "unexpected end of metric name 'x'" },
		/* Values. */
		{ "m\n", 1, 2, "expected float as value, got \"\"" },
		{ "m \n", 1, 3, "expected float as value, got \"\"" },
		{ "m x\n", 1, 3, "expected float as value, got \"x\"" },
		{ "a.b 1\n", 1, 2, "expected float as value, got \".b\"" },
		{ "m 0x10\n", 1, 3, "expected float as value, got \"0x10\"" },
		{ "m 0x1p3\n", 1, 3, "expected float as value, got \"0x1p3\"" },
		{ "m 1_000\n", 1, 3, "expected float as value, got \"1_000\"" },
		{ "m +NaN\n", 1, 3, "expected float as value, got \"+NaN\"" },
		{ "m 1e400\n", 1, 3, "expected float as value, got \"1e400\"" },
		{ "m 1e\n", 1, 3, "expected float as value, got \"1e\"" },
		{ "m 3.14\r\n", 1, 3, "expected float as value, got \"3.14\\r\"" },
		{ "m 1,5\n", 1, 3, "expected float as value, got \"1,5\"" },
		/* Timestamps. */
		{ "m 1 \n", 1, 5, "expected integer as timestamp, got \"\"" },
		{ "m 1 x\n", 1, 5, "expected integer as timestamp, got \"x\"" },
		{ "m 1 1.5\n", 1, 5, "expected integer as timestamp, got \"1.5\"" },
		{ "m 1 9223372036854775808\n", 1, 5,
				"expected integer as timestamp, got \"9223372036854775808\"" },
		{ "m 1 # {a=\"b\"} 1\n", 1, 5, "expected integer as timestamp, got \"#\"" },
		{ "m 1 2 \n", 1, 6, "spurious string after timestamp: \" \"" },
		{ "m 1 2 x\n", 1, 6, "spurious string after timestamp: \" x\"" },
		/* Comments. */
		{ "# HELP m a\n# HELP m b\n", 2, 1, "second HELP line for metric name \"m\"" },
		{ "# TYPE m gauge\n# TYPE m gauge\n", 2, 1,
				"second TYPE line for metric name \"m\", or TYPE reported after samples" },
		{ "m 1\n# TYPE m gauge\n", 2, 1,
				"second TYPE line for metric name \"m\", or TYPE reported after samples" },
		{ "# TYPE m unknown\n", 1, 10, "unknown metric type \"unknown\"" },
		{ "# TYPE m info\n", 1, 10, "unknown metric type \"info\"" },
		{ "# TYPE m gauge \n", 1, 10, "unknown metric type \"gauge \"" },
		{ "# HELP m a\\t\n", 1, 11, "invalid escape sequence '\\t'" },
		/* Line ends. */
		{ "m 1", 1, 4, "unexpected end of input stream" },
		{ "m 1\nn", 2, 2, "unexpected end of input stream" },
		{ "m", 1, 2, "unexpected end of input stream" },
		{ "# x", 1, 4, "unexpected end of input stream" },
		{ "#", 1, 2, "unexpected end of input stream" },
		{ "m{", 1, 3, "unexpected end of input stream" },
		{ "m{a", 1, 4, "unexpected end of input stream" },
		{ "m{a=", 1, 5, "unexpected end of input stream" },
		{ "m{a=\"", 1, 6, "unexpected end of input stream" },
		{ "m{a=\"\\", 1, 7, "unexpected end of input stream" },
		{ "m{a=\"b\"", 1, 8, "unexpected end of input stream" },
		{ "m{a=\"b\"}", 1, 9, "unexpected end of input stream" },
		{ "m 1 2", 1, 6, "unexpected end of input stream" },
		{ "# HELP m x", 1, 11, "unexpected end of input stream" },
		{ "# HELP m \\", 1, 11, "unexpected end of input stream" },
		{ "# TYPE m gauge", 1, 15, "unexpected end of input stream" },
		{ "\"", 1, 2, "unexpected end of input stream" },
		{ "\"\\", 1, 3, "unexpected end of input stream" },
	};
	CHECK_BAD(cases);
}

static void test_bad_labels(void)
{
	static const struct bad_case cases[] = {
		{ "m{=\"b\"} 1\n", 1, 3, "invalid label name for metric \"m\"" },
		{ "m{,} 1\n", 1, 3, "invalid label name for metric \"m\"" },
		{ "m{a=\"b\",,} 1\n", 1, 9, "invalid label name for metric \"m\"" },
		{ "m{1=\"b\"} 1\n", 1, 3, "invalid label name for metric \"m\"" },
		{ "{=\"b\"} 1\n", 1, 2, "invalid label name for metric \"\"" },
		{ "m{\"a.b\"=\"c\"} 1\n", 1, 3, "invalid label name \"a.b\"" },
		{ "m{a.b=\"c\"} 1\n", 1, 4, "expected '=' after label name, found '.'" },
		{ "m{a\"b\"} 1\n", 1, 4, "expected '=' after label name, found '\"'" },
		{ "m{\"n\"} 1\n", 1, 6, "expected '=' after label name, found '}'" },
		{ "m{a} 1\n", 1, 4, "expected '=' after label name, found '}'" },
		{ "m{a\n", 1, 4, "expected '=' after label name, found '\\n'" },
		{ "m{a=b} 1\n", 1, 5, "expected '\"' at start of label value, found 'b'" },
		{ "m{a='b'} 1\n", 1, 5, "expected '\"' at start of label value, found '\\''" },
		{ "m{a=\xe9} 1\n", 1, 5, "expected '\"' at start of label value, found '\xc3\xa9'" },
		{ "m{a=\n", 1, 5, "expected '\"' at start of label value, found '\\n'" },
		{ "m{a=\"b\",a=\"c\"} 1\n", 1, 9, "duplicate label names for metric \"m\"" },
		{ "m{a=\"b\",c=\"d\",a=\"c\"} 1\n", 1, 15, "duplicate label names for metric \"m\"" },
		{ "m{__name__=\"b\"} 1\n", 1, 3, "label name \"__name__\" is reserved" },
		{ "m{a=\"b\nc\"} 1\n", 1, 6, "label value \"b\" contains unescaped new-line" },
		{ "m{a=\"b\\\n", 1, 7, "invalid escape sequence '\\\\x0a'" },
		{ "m{a=\"b\"c\"} 1\n", 1, 8, "unexpected end of label value \"b\"" },
		{ "m{a=\"b\"\n", 1, 8, "unexpected end of label value \"b\"" },
		{ "m{a=\"b\" c=\"d\"} 1\n", 1, 9, "unexpected end of label value \"b\"" },
		{ "m{a=\"\\\\\\n\"x} 1\n", 1, 11, "unexpected end of label value \"\\\\\\n\"" },
		{ "m{a=\"\\t\"} 1\n", 1, 6, "invalid escape sequence '\\t'" },
		{ "m{a=\"x\\xff\"} 1\n", 1, 7, "invalid escape sequence '\\x'" },
		{ "m{a=\"\xff\"} 1\n", 1, 6, "invalid label value \"\\xff\"" },
		{ "m{a=\"ok\",b=\"\xed\xa0\x80\"} 1\n", 1, 13, "invalid label value \"\\xed\\xa0\\x80\"" },
	};
	CHECK_BAD(cases);
}

/* The place lies in the line, whatever was unescaped elsewhere. */
static void test_quoted_duplicates(void)
{
	struct batch batch;
	struct format_error error;
	CHECK_INT(parse(SLICE("m{\"a\"=\"b\",\"a\"=\"c\"} 1\n"), &batch, &error), FORMAT_E_SYNTAX);
	CHECK_STRING(error.what, "duplicate label names for metric \"m\"");
	CHECK(error.column >= 1 && error.column <= error.line_text.len + 1);
}

/* ---- Limits ---- */

static void check_limit(struct slice body, enum format_limit limit)
{
	struct batch batch;
	struct format_error error;
	CHECK_INT(parse(body, &batch, &error), FORMAT_E_LIMIT);
	CHECK_INT(error.limit, limit);
}

static void test_limits(void)
{
	struct batch batch;
	struct format_error error;
	struct buf body;
	buf_init(&body, 0);
	for (unsigned i = 0; i < limits.samples; i++) {
		buf_printf(&body, "m%u 1\n", i);
	}
	CHECK_INT(parse(buf_slice(&body), &batch, &error), FORMAT_OK);
	buf_append(&body, SLICE("n 1\n"));
	check_limit(buf_slice(&body), FORMAT_LIMIT_SAMPLES);

	body.len = 0;
	buf_append(&body, SLICE("m{"));
	for (unsigned i = 0; i < limits.labels; i++) {
		buf_printf(&body, "l%u=\"\",", i);
	}
	size_t open = body.len;
	buf_append(&body, SLICE("} 1\n"));
	CHECK_INT(parse(buf_slice(&body), &batch, &error), FORMAT_OK);
	body.len = open;
	buf_append(&body, SLICE("x=\"\"} 1\n"));
	check_limit(buf_slice(&body), FORMAT_LIMIT_LABELS);

	char text[2001];
	memset(text, 'x', sizeof(text));
	for (int more = 0; more < 2; more++) {
		static const char *const bodies[][2] = { { "m{a=\"", "\"} 1\n" }, { "m{", "=\"\"} 1\n" },
			{ "", " 1\n" }, { "# HELP ", " x\n" }, { "{\"", "\"} 1\n" } };
		for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
			body.len = 0;
			buf_append_string(&body, bodies[i][0]);
			buf_append(&body, slice_make(text, limits.label_bytes + (size_t)more));
			buf_append_string(&body, bodies[i][1]);
			if (more == 0) {
				CHECK_INT(parse(buf_slice(&body), &batch, &error), FORMAT_OK);
			} else {
				check_limit(buf_slice(&body), FORMAT_LIMIT_LABEL_BYTES);
			}
		}
	}
	buf_finish(&body);
}

/* ---- Excerpts ---- */

static void test_excerpts(void)
{
	static const struct {
		const char *body;
		const char *excerpt;
	} cases[] = {
		{ "m{a=b} 1\n", "    m{a=b} 1\n        ^\n" },
		{ "m 1\nn", "    n\n     ^\n" },
		{ "m{a=\"\xc3\xa9\",b} 1\n", "    m{a=\"\xc3\xa9\",b} 1\n             ^\n" },
		{ "m{a=\"\t\",b} 1\n", "    m{a=\" \",b} 1\n             ^\n" },
		{ "m{a=\"\x01\",b} 1\n", "    m{a=\"?\",b} 1\n             ^\n" },
		{ "m \xff\n", "    m ?\n      ^\n" },
		{ "m 1\r\n", "    m 1?\n      ^\n" },
		{ "m 0123456789012345678901234567890123456789012345678901234567890123456789x\n",
				"    m 0123456789012345678901234567890123456789\n      ^\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct batch batch;
		struct format_error error;
		CHECK_INT(parse(slice_of_string(cases[i].body), &batch, &error), FORMAT_E_SYNTAX);
		CHECK_STRING(format_error_excerpt(&error, &arena), cases[i].excerpt);
	}
	/* Of a long line the last 60 bytes before the place are shown. */
	struct batch batch;
	struct format_error error;
	parse(SLICE("abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz "
				"x\n"),
			&batch, &error);
	CHECK_STRING(format_error_excerpt(&error, &arena),
			"    vwxyz_abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz x\n"
			"                                                                ^\n");
}

int main(void)
{
	hash_init();
	guard_init(&guard, BODY_MAX);
	arena_init(&arena);
	RUN(test_lines);
	RUN(test_comments);
	RUN(test_not_terminated);
	RUN(test_bad_lines);
	RUN(test_bad_labels);
	RUN(test_quoted_duplicates);
	RUN(test_limits);
	RUN(test_excerpts);
	arena_finish(&arena);
	guard_finish(&guard);
	return check_done();
}
