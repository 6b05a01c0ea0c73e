/*
 * What the text format's parser says would be right.
 */

#include <stdlib.h>

#include "base/hash.h"
#include "check.h"
#include "format/text_parse.h"
#include "guard.h"

enum { BODY_MAX = 1 << 16 };

static struct format_options options = { .samples = 1000, .labels = 20, .label_bytes = 1000 };

static struct guard guard;
static struct arena arena;

struct hint_case {
	const char *body;
	const char *hint;
};

static void check_hints(const struct hint_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct batch batch;
		struct format_error error = { 0 };
		int failures = check_failures;
		arena_reset(&arena);
		struct slice body = guard_copy(&guard, slice_of_string(cases[i].body));
		CHECK_INT(text_parse(body, &options, &arena, &batch, &error), FORMAT_E_SYNTAX);
		CHECK_STRING(error.hint, cases[i].hint);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].body);
		}
	}
}

#define CHECK_HINTS(cases) check_hints((cases), sizeof(cases) / sizeof((cases)[0]))

#define LINE_END "lines end in a line feed alone, without a carriage return"
#define LAST_LINE "the last line ends in a line feed, too; curl sends it with --data-binary"
#define METRIC_NAME "a metric name has letters, digits, '_' and ':' only, and no digit first"
#define LABEL_NAME "a label name has letters, digits and '_' only, and no digit first"
#define ESCAPES "a backslash is written \\\\, a quote \\\", a line feed \\n"
#define BRACE "labels end with a brace, in the same line"
#define NUMBER "a value is a number such as 1, 0.5 or 1e6, or NaN, +Inf or -Inf"

static void test_line_ends(void)
{
	static const struct hint_case cases[] = {
		{ "m 1", LAST_LINE },
		{ "m 1\n# x", LAST_LINE },
		{ "m{a=\"b", LAST_LINE },
		{ "m 1\r\n", LINE_END },
		{ "m{a=\"b\"} 1\r\n", LINE_END },
		{ "m \r\n", LINE_END },
		{ "\r\n", LINE_END },
		{ "m 1 5\r\n", LINE_END },
		{ "m 1 5 \r\n", LINE_END },
		{ "m 1 \r\n", LINE_END },
		{ "# TYPE m gauge\r\n", LINE_END },
		{ "# HELP m\r\n", LINE_END },
	};
	CHECK_HINTS(cases);
}

static void test_names(void)
{
	static const struct hint_case cases[] = {
		{ "1m 1\n", METRIC_NAME },
		{ "-m 1\n", METRIC_NAME },
		{ "\xc3\xa9 1\n", METRIC_NAME },
		{ "a.b 1\n", METRIC_NAME },
		{ "a-b{c=\"d\"} 1\n", METRIC_NAME },
		{ "# TYPE a.b gauge\n", METRIC_NAME },
		{ "my metric 1\n", "a name has no blanks" },
		{ "\xef\xbb\xbfm 1\n", "leave out the byte order mark" },
		{ "{} 1\n", "a metric needs a name: m{a=\"b\"} 1 or {\"m\",a=\"b\"} 1" },
		{ "{a=\"b\"} 1\n", "a metric needs a name: m{a=\"b\"} 1 or {\"m\",a=\"b\"} 1" },
		{ "\"\" 1\n", "a name has at least one character" },
		{ "{\"\"} 1\n", "a name has at least one character" },
		{ "{\"a.b\"} 1\n", "--push.enable-utf8-names allows such names" },
		{ "# TYPE \"a.b\" gauge\n", "--push.enable-utf8-names allows such names" },
		{ "m{\"a.b\"=\"c\"} 1\n", "--push.enable-utf8-names allows such names" },
		{ "{\"\xff\"} 1\n", "names are UTF-8" },
		{ "m{\"\xff\"=\"c\"} 1\n", "names are UTF-8" },
		{ "{\"m\",\"n\"} 1\n", "a label is written a=\"b\"" },
		{ "{\"m\"x} 1\n", "a comma or the brace follows the name: {\"m\",a=\"b\"} 1" },
		{ "{\"m\\t\"} 1\n", ESCAPES },
		{ "{\"m\n", "the closing quote is missing; a line feed in quotes is written \\n" },
	};
	CHECK_HINTS(cases);
}

static void test_labels(void)
{
	static const struct hint_case cases[] = {
		{ "m{a=b} 1\n", "label values are in double quotes" },
		{ "m{a='b'} 1\n", "label values are in double quotes" },
		{ "m{a=1} 1\n", "label values are in double quotes" },
		{ "m{a=} 1\n", "label values are in double quotes" },
		{ "m{a} 1\n", "a label is written a=\"b\"" },
		{ "m{a,b=\"c\"} 1\n", "a label is written a=\"b\"" },
		{ "m{a:\"b\"} 1\n", "a label is written a=\"b\"" },
		{ "m{a b=\"c\"} 1\n", "a label name has no blanks" },
		{ "m{a.b=\"c\"} 1\n", LABEL_NAME },
		{ "m{a-b=\"c\"} 1\n", LABEL_NAME },
		{ "m{1=\"c\"} 1\n", LABEL_NAME },
		{ "m{=\"c\"} 1\n", "a label has a name: m{a=\"b\"} 1" },
		{ "m{,} 1\n", "there is one comma between two labels, at most one behind the last" },
		{ "m{a=\"b\",,} 1\n",
				"there is one comma between two labels, at most one behind the last" },
		{ "m{a=\"b\" c=\"d\"} 1\n", "there is a comma between two labels" },
		{ "m{a=\"b\"c\"} 1\n",
				"a quote in a label value is written \\\", and a comma or brace follows the "
				"value" },
		{ "m{a=\"b\"\n", BRACE },
		{ "m{a=\"b\",\n", BRACE },
		{ "m{a\n", BRACE },
		{ "m{\n", BRACE },
		{ "m{a=\"b\n", "the closing quote is missing; a line feed in quotes is written \\n" },
		{ "m{a=\"C:\\temp\"} 1\n", ESCAPES },
		{ "m{a=\"\\'\"} 1\n", ESCAPES },
		{ "m{a=\"\xe9\"} 1\n", "label values are UTF-8" },
		{ "m{a=\"1\",a=\"2\"} 1\n", "each label is given once" },
		{ "m{__name__=\"x\"} 1\n", "the metric's name stands before the brace" },
	};
	CHECK_HINTS(cases);
}

static void test_values(void)
{
	static const struct hint_case cases[] = {
		{ "m\n", "a value follows the name and its labels: m 1" },
		{ "m \n", "a value follows the name and its labels: m 1" },
		{ "m{a=\"b\"}\n", "a value follows the name and its labels: m 1" },
		{ "m 1,000\n", "a number has no commas: 1000, not 1,000, and 0.5, not 0,5" },
		{ "m -0,5\n", "a number has no commas: 1000, not 1,000, and 0.5, not 0,5" },
		{ "m 1_000\n", "digits are not grouped: 1000, not 1_000" },
		{ "m 0x10\n", "numbers are decimal: 16, not 0x10" },
		{ "m -0X1p3\n", "numbers are decimal: 16, not 0x10" },
		{ "m 1e400\n", "no double is that large; there is +Inf" },
		{ "m -1.5e+999\n", "no double is that large; there is +Inf" },
		{ "m +NaN\n", "NaN has no sign" },
		{ "m true\n", "1 is for true, 0 for false" },
		{ "m False\n", "1 is for true, 0 for false" },
		{ "m null\n", "what has no value is left out, or is NaN" },
		{ "m None\n", "what has no value is left out, or is NaN" },
		{ "m -\n", "what has no value is left out, or is NaN" },
		{ "m 5ms\n", "a value has no unit; the name says it, as in m_seconds" },
		{ "m 10%\n", "a value has no unit; the name says it, as in m_seconds" },
		{ "m \"1\"\n", "a value has no quotes" },
		{ "m{a=\"b\"} x\n", NUMBER },
		{ "m{a=\"b\"}x\n", NUMBER },
		{ "m 1.2.3\n", NUMBER },
		{ "m --1\n", NUMBER },
		{ "m +\n", NUMBER },
		{ "# TYPE h histogram\nh_bucket{le=\"x\"} 1\n",
				"le is a bucket's upper bound: a number, or +Inf" },
		{ "# TYPE s summary\ns{quantile=\"x\"} 1\n", "a quantile is a number from 0 to 1" },
		{ "# TYPE h histogram\nh_count -1\n", "a count is 0 or more" },
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} -1\n", "a count is 0 or more" },
		/* Behind the value. */
		{ "m 1 \n", "nothing follows the value, not even a blank" },
		{ "m 1 2 \n", "nothing follows a timestamp, not even a blank" },
		{ "m 1 2 3\n", "nothing follows a timestamp, not even a blank" },
		{ "m 1 1.5\n", "a timestamp is a whole number of milliseconds" },
		{ "m 1 x\n", "nothing follows the value but a timestamp in milliseconds" },
		{ "m 1 # {a=\"b\"} 1\n",
				"nothing follows the value; exemplars need "
				"Content-Type: application/openmetrics-text" },
	};
	CHECK_HINTS(cases);
}

static void test_comments(void)
{
	static const struct hint_case cases[] = {
		{ "# TYPE m gauge\nm 1\n# TYPE m gauge\n", "line 1 says the type already" },
		{ "\nm 1\n\nm 2\n# TYPE m gauge\n",
				"the type comes before the samples, the first of which is in line 2" },
		{ "# HELP m a\n# HELP m b\n",
				"line 1 is the first; a line feed in the text is written \\n" },
		{ "# HELP m C:\\temp\n", ESCAPES },
		{ "# TYPE m guage\n", "types are counter, gauge, histogram, summary and untyped" },
		{ "# TYPE m \"gauge\"\n", "types are counter, gauge, histogram, summary and untyped" },
		{ "# TYPE m gauge \n", "nothing follows the type, not even a blank" },
		{ "# TYPE m unknown\n", "the text format calls it untyped" },
		{ "# TYPE m info\n", "only OpenMetrics has this type; the text format makes it a gauge" },
		{ "# TYPE m StateSet\n",
				"only OpenMetrics has this type; the text format makes it a gauge" },
	};
	CHECK_HINTS(cases);
}

int main(void)
{
	hash_init();
	guard_init(&guard, BODY_MAX);
	arena_init(&arena);
	RUN(test_line_ends);
	RUN(test_names);
	RUN(test_labels);
	RUN(test_values);
	RUN(test_comments);
	arena_finish(&arena);
	guard_finish(&guard);
	return check_done();
}
