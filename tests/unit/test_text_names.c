/*
 * The text format with names in quotes: any UTF-8 where that is allowed, plain
 * ones where it is not.
 */

#include <stdlib.h>

#include "base/hash.h"
#include "check.h"
#include "format/text_parse.h"
#include "guard.h"
#include "unit/text_dump.h"

enum { BODY_MAX = 1 << 16 };

static struct format_options options = {
	.samples = 1000,
	.labels = 20,
	.label_bytes = 1000,
	.utf8_names = true,
};

static struct guard guard;
static struct arena arena;

static enum format_result parse(struct slice body, struct batch *batch, struct format_error *error)
{
	arena_reset(&arena);
	return text_parse(guard_copy(&guard, body), &options, &arena, batch, error);
}

struct name_case {
	const char *body;
	const char *dump; /* see text_dump.h; of a bad one what is wrong */
};

static void check_good(const struct name_case *cases, size_t count)
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

static void check_bad(const struct name_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct batch batch;
		struct format_error error = { 0 };
		int failures = check_failures;
		CHECK_INT(parse(slice_of_string(cases[i].body), &batch, &error), FORMAT_E_SYNTAX);
		CHECK_STRING(error.what, cases[i].dump);
		CHECK(error.column >= 1 && error.column <= error.line_text.len + 1);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].body);
		}
	}
}

#define CHECK_GOOD(cases) check_good((cases), sizeof(cases) / sizeof((cases)[0]))
#define CHECK_BAD(cases) check_bad((cases), sizeof(cases) / sizeof((cases)[0]))

static void test_any_name(void)
{
	static const struct name_case cases[] = {
		{ "{\"a.b\",\"c.d\"=\"e\"} 1\n", "a.b untyped\n  a.b{c.d=e} 1\n" },
		{ "{\"a.b\"} 1\n", "a.b untyped\n  a.b{} 1\n" },
		{ "{\"a.b\"}1\n", "a.b untyped\n  a.b{} 1\n" },
		{ "\"a.b\" 1\n", "a.b untyped\n  a.b{} 1\n" },
		{ "\"a.b\"{c=\"d\"} 1\n", "a.b untyped\n  a.b{c=d} 1\n" },
		{ "{c=\"d\",\"a.b\"} 1\n", "a.b untyped\n  a.b{c=d} 1\n" },
		{ "{ \"a b\" , \"c d\" = \"e\" , } 1\n", "a b untyped\n  a b{c d=e} 1\n" },
		{ "m{\"c.d\"=\"e\"} 1\n", "m untyped\n  m{c.d=e} 1\n" },
		{ "m{\"1\"=\"e\",\"\xc3\xa9\"=\"f\"} 1\n", "m untyped\n  m{1=e,\xc3\xa9=f} 1\n" },
		{ "{\"\xf0\x9f\x98\x80\"} 1\n", "\xf0\x9f\x98\x80 untyped\n  \xf0\x9f\x98\x80{} 1\n" },
		/* What stands in names may be anything, the marks of the format included. */
		{ "{\"#\",\"}\"=\"1\",\",\"=\"2\",\"=\"=\"3\"} 1\n", "# untyped\n  #{,=2,==3,}=1} 1\n" },
		{ "{\"\r\t\x01\"} 1\n", "\r\t\x01 untyped\n  \r\t\x01{} 1\n" },
		/* Plain names are the same with and without quotes. */
		{ "{\"m\"} 1\nm 2\n", "m untyped\n  m{} 1\n  m{} 2\n" },
		/* Escapes stay as they are. */
		{ "{\"\\\\\\\"\\n\",\"\\n\"=\"\\n\"} 1\n",
				"\\\\\\\"\\n untyped\n  \\\\\\\"\\n{\\n=\\n} 1\n" },
		/* Comments. */
		{ "# TYPE \"x.y\" gauge\n# HELP \"x.y\" text\n{\"x.y\"} 1\n",
				"x.y gauge text\n  x.y{} 1\n" },
		{ "# HELP \"a\\nb\" text\n{\"a\\nb\"} 1\n", "a\\nb untyped text\n  a\\nb{} 1\n" },
		{ "# HELP \"x.y\"\n# TYPE \"x.y\"\n# TYPE \"x.y\" \n", "" },
		/* Names that start like reserved ones are the store's matter, also in quotes. */
		{ "m{\"__a\"=\"b\"} 1\n", "m untyped\n  m{__a=b} 1\n" },
		{ "m{\"__a.b\"=\"c\"} 1\n", "m untyped\n  m{__a.b=c} 1\n" },
	};
	CHECK_GOOD(cases);
}

static void test_suffixes(void)
{
	static const struct name_case cases[] = {
		{ "# TYPE \"h.x\" histogram\n{\"h.x_bucket\",le=\"1\"} 2\n{\"h.x_bucket\",\"le\"=\"+Inf\"} "
		  "3\n"
		  "{\"h.x_sum\"} 4\n{\"h.x_count\"} 3\n",
				"h.x histogram\n  h.x_bucket{le=1} 2\n  h.x_bucket{le=+Inf} 3\n"
				"  h.x_sum{} 4\n  h.x_count{} 3\n" },
		{ "# TYPE \"h.x\" histogram\n{le=\"1.0\",\"h.x_bucket\"} 2\n",
				"h.x histogram\n  h.x_bucket{le=1} 2\n  h.x_bucket{le=+Inf} 0\n"
				"  h.x_sum{} 0\n  h.x_count{} 0\n" },
		{ "# TYPE \"s x\" summary\n{\"s x\",quantile=\"0.50\"} 2\n{\"s x_count\"} 1\n",
				"s x summary\n  s x{quantile=0.5} 2\n  s x_sum{} 0\n  s x_count{} 1\n" },
		{ "# TYPE \"\\\\\" histogram\n{\"\\\\_count\"} 2\n",
				"\\\\ histogram\n  \\\\_bucket{le=+Inf} 2\n  \\\\_sum{} 0\n  \\\\_count{} 2\n" },
		/* No TYPE line, no histogram. */
		{ "{\"h.x_bucket\",le=\"1\"} 2\n", "h.x_bucket untyped\n  h.x_bucket{le=1} 2\n" },
	};
	CHECK_GOOD(cases);
}

static void test_bad_names(void)
{
	static const struct name_case cases[] = {
		{ "{\"\"} 1\n", "invalid metric name \"\"" },
		{ "\"\" 1\n", "invalid metric name" },
		{ "# TYPE \"\" gauge\n", "invalid metric name \"\"" },
		{ "{\"\xff\"} 1\n", "invalid metric name \"\\xff\"" },
		{ "{\"a\xed\xa0\x80\"} 1\n", "invalid metric name \"a\\xed\\xa0\\x80\"" },
		{ "# HELP \"\xc3\" x\n", "invalid metric name \"\\xc3\"" },
		{ "m{\"\"=\"b\"} 1\n", "invalid label name \"\"" },
		{ "m{\"\xff\"=\"b\"} 1\n", "invalid label name \"\\xff\"" },
		{ "m{\"__name__\"=\"b\"} 1\n", "label name \"__name__\" is reserved" },
		{ "{\"a.b\",\"__name__\"=\"b\"} 1\n", "label name \"__name__\" is reserved" },
		{ "m{\"a.b\"=\"1\",\"a.b\"=\"2\"} 1\n", "duplicate label names for metric \"m\"" },
		{ "m{\"a\"=\"1\",a=\"2\"} 1\n", "duplicate label names for metric \"m\"" },
		{ "{\"a\\nb\",c=\"1\",c=\"2\"} 1\n", "duplicate label names for metric \"a\\nb\"" },
		{ "{\"a.b\",\"c.d\"} 1\n", "multiple metric names for metric \"a.b\"" },
		{ "{\"a.b\\t\"} 1\n", "invalid escape sequence '\\t'" },
		{ "m{\"a\\x\"=\"b\"} 1\n", "invalid escape sequence '\\x'" },
		{ "{\"a.b\n", "label name \"a.b\" contains unescaped new-line" },
		{ "\"a\\\\b\n", "metric name \"a\\\\b\" contains unescaped new-line" },
		{ "{\"a.b", "unexpected end of input stream" },
		{ "{\"a.b\"", "unexpected end of input stream" },
		{ "{\"a.b\\", "unexpected end of input stream" },
		{ "# TYPE \"x.y\" gauge\n# TYPE \"x.y\" gauge\n",
				"second TYPE line for metric name \"x.y\", or TYPE reported after samples" },
		{ "# TYPE \"h\\n\" histogram\n{\"h\\n_count\"} -1\n",
				"negative count for histogram \"h\\n\"" },
		/* Only quotes make such names. */
		{ "a.b 1\n", "expected float as value, got \".b\"" },
		{ "{a.b} 1\n", "unexpected end of metric name '.'" },
		{ "m{a.b=\"c\"} 1\n", "expected '=' after label name, found '.'" },
		{ "\xc3\xa9 1\n", "invalid metric name" },
		{ "# TYPE a.b gauge\n", "invalid metric name in comment" },
		{ "U__a_2e_b 1\n# TYPE U__a_2e_b gauge\n",
				"second TYPE line for metric name \"U__a_2e_b\", or TYPE reported after samples" },
	};
	CHECK_BAD(cases);
}

static void test_not_allowed(void)
{
	static const struct name_case good[] = {
		{ "{\"m\",\"a\"=\"b\"} 1\n", "m untyped\n  m{a=b} 1\n" },
		{ "# TYPE \"m\" gauge\n\"m\" 1\n", "m gauge\n  m{} 1\n" },
	};
	static const struct name_case bad[] = {
		{ "{\"a.b\"} 1\n", "invalid metric name \"a.b\"" },
		{ "{\"a\\nb\"} 1\n", "invalid metric name \"a\\nb\"" },
		{ "{\"a\\\\b\"} 1\n", "invalid metric name \"a\\\\b\"" },
		{ "\"a b\" 1\n", "invalid metric name \"a b\"" },
		{ "m{\"a.b\"=\"c\"} 1\n", "invalid label name \"a.b\"" },
		{ "m{\"a\\\"b\"=\"c\"} 1\n", "invalid label name \"a\\\"b\"" },
		{ "m{\"a:b\"=\"c\"} 1\n", "invalid label name \"a:b\"" },
		{ "# HELP \"a.b\" x\n", "invalid metric name \"a.b\"" },
		{ "m{\"__name__\"=\"b\"} 1\n", "label name \"__name__\" is reserved" },
	};
	options.utf8_names = false;
	CHECK_GOOD(good);
	CHECK_BAD(bad);
	options.utf8_names = true;
}

/* A NUL is a character like others, a name's length is limited as it stands. */
static void test_edges(void)
{
	struct batch batch;
	struct format_error error;
	CHECK_INT(parse(SLICE("{\"a\0b\",\"\0\"=\"c\"} 1\n"), &batch, &error), FORMAT_OK);
	CHECK_SLICE(batch.families->name, SLICE("a\0b"));
	CHECK_SLICE(batch.families->samples[0].labels.pairs[0].name, SLICE("\0"));
	for (size_t more = 0; more < 2; more++) {
		struct buf body;
		buf_init(&body, 0);
		buf_append(&body, SLICE("{\""));
		for (size_t i = 0; i < options.label_bytes + more; i++) {
			buf_append_byte(&body, '.');
		}
		buf_append(&body, SLICE("\"} 1\n"));
		CHECK_INT(parse(buf_slice(&body), &batch, &error), more == 0 ? FORMAT_OK : FORMAT_E_LIMIT);
		buf_finish(&body);
	}
}

/* Each sample knows its line. */
static void test_lines(void)
{
	struct batch batch;
	struct format_error error;
	CHECK_INT(parse(SLICE("\n# c\nm 1\n\nn 2\nm{a=\"b\"} 3\n"), &batch, &error), FORMAT_OK);
	CHECK_INT(batch.families->samples[0].line, 3);
	CHECK_INT(batch.families->samples[1].line, 6);
	CHECK_INT(batch.families->next->samples[0].line, 5);
}

int main(void)
{
	hash_init();
	guard_init(&guard, BODY_MAX);
	arena_init(&arena);
	RUN(test_any_name);
	RUN(test_suffixes);
	RUN(test_bad_names);
	RUN(test_not_allowed);
	RUN(test_edges);
	RUN(test_lines);
	arena_finish(&arena);
	guard_finish(&guard);
	return check_done();
}
