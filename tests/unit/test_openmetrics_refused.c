/*
 * OpenMetrics: lines that are refused, in which words, with the caret where.
 */

#include "base/hash.h"
#include "unit/openmetrics_driver.h"

static struct openmetrics_driver driver;

#define CHECK_BAD(cases) openmetrics_check_bad(&driver, (cases), sizeof(cases) / sizeof((cases)[0]))

static void test_lines(void)
{
	static const struct openmetrics_bad cases[] = {
		/* Nothing but families. */
		{ "\n", 1, 1, "an empty line" },
		{ "m 1\n\nn 1\n", 2, 1, "an empty line" },
		{ " \n", 1, 1, "a blank at the start of the line" },
		{ "\t\n", 1, 1, "a blank at the start of the line" },
		{ "#\n", 1, 1, "a comment" },
		{ "# \n", 1, 1, "a comment" },
		{ "#comment\n", 1, 1, "a comment" },
		{ "# comment\n", 1, 1, "a comment" },
		{ "#TYPE m gauge\n", 1, 1, "a comment" },
		{ "# type m gauge\n", 1, 1, "a comment" },
		{ "# FOO m x\n", 1, 1, "a comment" },
		{ "#  TYPE m gauge\n", 1, 1, "a comment" },
		{ "# TYPEm gauge\n", 1, 1, "a comment" },
		{ "# EOFM\n", 1, 6, "expected the end of the line, found 'M'" },
		{ "# EOF \n", 1, 6, "expected the end of the line, found ' '" },
		{ "# EOF\n# EOF\n", 2, 1, "more behind \"# EOF\"" },
		{ "m 1\n# EOF\nn 1\n", 3, 1, "more behind \"# EOF\"" },
		/* One space between words, none at the ends. */
		{ " m 1\n", 1, 1, "a blank at the start of the line" },
		{ "\tm 1\n", 1, 1, "a blank at the start of the line" },
		{ "m  1\n", 1, 3, "two spaces in a row" },
		{ "m\t1\n", 1, 2, "expected a space or '{' after the metric name, found '\\t'" },
		{ "m 1 \n", 1, 5, "nothing behind the space" },
		{ "m 1\t\n", 1, 3, "invalid value \"1\\t\"" },
		{ "m 1  5\n", 1, 5, "two spaces in a row" },
		{ "m 1 5 \n", 1, 7, "nothing behind the space" },
		{ "m 1 5 6\n", 1, 7, "more behind the timestamp" },
		{ "m {} 1\n", 1, 3, "invalid value \"{}\"" },
		{ "m{} \n", 1, 5, "nothing behind the space" },
		{ "m{}1\n", 1, 4, "expected a space before the value, found '1'" },
		{ "m{}  1\n", 1, 5, "two spaces in a row" },
		/* Line feeds only. */
		{ "m 1\r\n", 1, 4, "a carriage return at the end of the line" },
		{ "# TYPE m gauge\r\nm 1\r\n", 1, 15, "a carriage return at the end of the line" },
		{ "# HELP m x\r\n", 1, 11, "a carriage return at the end of the line" },
		/* UTF-8 only. */
		{ "m{a='\xff'} 1\n", 1, 6, "not UTF-8" },
		{ "m{a='ok'} 1\n# HELP n \xc3\n", 2, 10, "not UTF-8" },
		{ "m{a='\xed\xa0\x80'} 1\n", 1, 6, "not UTF-8" },
		{ "m 1\n\xffm 1\n", 2, 1, "not UTF-8" },
	};
	CHECK_BAD(cases);
}

static void test_names(void)
{
	static const struct openmetrics_bad cases[] = {
		{ "1m 1\n", 1, 1, "expected a metric name, found '1'" },
		{ ".m 1\n", 1, 1, "expected a metric name, found '.'" },
		{ "{} 1\n", 1, 1, "no metric name" },
		{ "{a='b'} 1\n", 1, 1, "no metric name" },
		{ "a.b 1\n", 1, 2, "expected a space or '{' after the metric name, found '.'" },
		{ "a-b 1\n", 1, 2, "expected a space or '{' after the metric name, found '-'" },
		{ "m\xc3\xa9 1\n", 1, 2,
				"expected a space or '{' after the metric name, found '\xc3\xa9'" },
		{ "_m 1\n", 1, 1, "reserved metric name \"_m\"" },
		{ "__m 1\n", 1, 1, "reserved metric name \"__m\"" },
		{ "_:m{a='b'} 1\n", 1, 1, "reserved metric name \"_:m\"" },
		{ "# TYPE _m gauge\n", 1, 8, "reserved metric name \"_m\"" },
		{ "# TYPE 1 gauge\n", 1, 8, "expected a metric name, found '1'" },
		{ "# TYPE a.b gauge\n", 1, 9, "expected a space after the metric name, found '.'" },
		{ "# HELP a-b x\n", 1, 9, "expected a space after the metric name, found '-'" },
		{ "# TYPE  gauge\n", 1, 8, "two spaces in a row" },
		{ "'m' 1\n", 1, 1, "a quote at the start of the line" },
		{ "{'m'} 1\n", 1, 2, "a name in quotes" },
		{ "{'a.b'} 1\n", 1, 2, "a name in quotes" },
		{ "m{'a'='b'} 1\n", 1, 3, "a name in quotes" },
		{ "# TYPE 'm' gauge\n", 1, 8, "a name in quotes" },
		{ "# TYPE c counter\nc_total 1 # {'a'='b'} 1\n", 2, 14, "a name in quotes" },
	};
	CHECK_BAD(cases);
}

static void test_labels(void)
{
	static const struct openmetrics_bad cases[] = {
		{ "m{\n", 1, 3, "expected a label name, found the end of the line" },
		{ "m{a\n", 1, 4, "expected '=' after the label name, found the end of the line" },
		{ "m{a=\n", 1, 5, "expected '\"' before the label value, found the end of the line" },
		{ "m{a='\n", 1, 5, "the quote is not closed in this line" },
		{ "m{a='b\n", 1, 5, "the quote is not closed in this line" },
		{ "m{a='b'\n", 1, 8, "expected ',' or '}' after a label, found the end of the line" },
		{ "m{a='b',\n", 1, 9, "expected a label name, found the end of the line" },
		{ "m{a='b'}\n", 1, 9, "expected a space before the value, found the end of the line" },
		{ "m{a='b\\'} 1\n", 1, 5, "the quote is not closed in this line" },
		{ "m{a='b\\\n", 1, 5, "the quote is not closed in this line" },
		{ "m{a='b\nc'} 1\n", 1, 5, "the quote is not closed in this line" },
		{ "m{,} 1\n", 1, 3, "expected a label name, found ','" },
		{ "m{a='b',} 1\n", 1, 8, "a comma after the last label" },
		{ "m{a='b',,c='d'} 1\n", 1, 9, "expected a label name, found ','" },
		{ "m{,a='b'} 1\n", 1, 3, "expected a label name, found ','" },
		{ "m{ a='b'} 1\n", 1, 3, "expected a label name, found ' '" },
		{ "m{a='b' } 1\n", 1, 8, "expected ',' or '}' after a label, found ' '" },
		{ "m{a='b', c='d'} 1\n", 1, 9, "expected a label name, found ' '" },
		{ "m{a ='b'} 1\n", 1, 4, "expected '=' after the label name, found ' '" },
		{ "m{a= 'b'} 1\n", 1, 5, "expected '\"' before the label value, found ' '" },
		{ "m{a=b} 1\n", 1, 5, "expected '\"' before the label value, found 'b'" },
		{ "m{a} 1\n", 1, 4, "expected '=' after the label name, found '}'" },
		{ "m{='b'} 1\n", 1, 3, "expected a label name, found '='" },
		{ "m{1a='b'} 1\n", 1, 3, "expected a label name, found '1'" },
		{ "m{a:b='c'} 1\n", 1, 4, "expected '=' after the label name, found ':'" },
		{ "m{a.b='c'} 1\n", 1, 4, "expected '=' after the label name, found '.'" },
		{ "m{\xc3\xa9='c'} 1\n", 1, 3, "expected a label name, found '\xc3\xa9'" },
		{ "m{a='b'c='d'} 1\n", 1, 8, "expected ',' or '}' after a label, found 'c'" },
		{ "m{a='b';c='d'} 1\n", 1, 8, "expected ',' or '}' after a label, found ';'" },
		{ "m{a='b''} 1\n", 1, 8, "expected ',' or '}' after a label, found '\"'" },
		{ "m{a='b'}} 1\n", 1, 9, "expected a space before the value, found '}'" },
		{ "m{a='b'}{c='d'} 1\n", 1, 9, "expected a space before the value, found '{'" },
		{ "m{_a='b'} 1\n", 1, 3, "reserved label name \"_a\"" },
		{ "m{__name__='n'} 1\n", 1, 3, "reserved label name \"__name__\"" },
		{ "m{a='b',a='c'} 1\n", 1, 9, "two labels named \"a\"" },
		{ "m{b='1',a='2',b='1'} 1\n", 1, 15, "two labels named \"b\"" },
		{ "m{a='1',b='2',c='3',b='4'} 1\n", 1, 21, "two labels named \"b\"" },
	};
	CHECK_BAD(cases);
}

static void test_values(void)
{
	static const struct openmetrics_bad cases[] = {
		{ "m\n", 1, 2, "expected a space or '{' after the metric name, found the end of the line" },
		{ "m \n", 1, 3, "nothing behind the space" },
		{ "m x\n", 1, 3, "invalid value \"x\"" },
		{ "m 1x\n", 1, 3, "invalid value \"1x\"" },
		{ "m 1_000\n", 1, 3, "invalid value \"1_000\"" },
		{ "m 0x1p3\n", 1, 3, "invalid value \"0x1p3\"" },
		{ "m 0x10\n", 1, 3, "invalid value \"0x10\"" },
		{ "m 1e\n", 1, 3, "invalid value \"1e\"" },
		{ "m 1e+\n", 1, 3, "invalid value \"1e+\"" },
		{ "m .\n", 1, 3, "invalid value \".\"" },
		{ "m e5\n", 1, 3, "invalid value \"e5\"" },
		{ "m 1.5.5\n", 1, 3, "invalid value \"1.5.5\"" },
		{ "m --1\n", 1, 3, "invalid value \"--1\"" },
		{ "m +NaN\n", 1, 3, "invalid value \"+NaN\"" },
		{ "m -nan\n", 1, 3, "invalid value \"-nan\"" },
		{ "m infin\n", 1, 3, "invalid value \"infin\"" },
		{ "m 1e999\n", 1, 3, "invalid value \"1e999\"" },
		{ "m 1,5\n", 1, 3, "invalid value \"1,5\"" },
		{ "m '1'\n", 1, 3, "invalid value \"\\\"1\\\"\"" },
		{ "m \xef\xbc\x91\n", 1, 3, "invalid value \"\xef\xbc\x91\"" },
		/* Timestamps are seconds. */
		{ "m 1 x\n", 1, 5, "invalid timestamp \"x\"" },
		{ "m 1 NaN\n", 1, 5, "invalid timestamp \"NaN\"" },
		{ "m 1 Inf\n", 1, 5, "invalid timestamp \"Inf\"" },
		{ "m 1 -Inf\n", 1, 5, "invalid timestamp \"-Inf\"" },
		{ "m 1 1e999\n", 1, 5, "invalid timestamp \"1e999\"" },
		{ "m 1 1.1.1\n", 1, 5, "invalid timestamp \"1.1.1\"" },
		{ "m 1 1_000\n", 1, 5, "invalid timestamp \"1_000\"" },
		{ "m 1 +\n", 1, 5, "invalid timestamp \"+\"" },
		{ "m 1 0x5\n", 1, 5, "invalid timestamp \"0x5\"" },
	};
	CHECK_BAD(cases);
}

static void test_metadata(void)
{
	static const struct openmetrics_bad cases[] = {
		{ "# TYPE\n", 1, 7, "expected a space after the keyword, found the end of the line" },
		{ "# TYPE \n", 1, 8, "nothing behind the space" },
		{ "# TYPE m\n", 1, 9, "expected a space after the metric name, found the end of the line" },
		{ "# TYPE m \n", 1, 10, "no metric type: \"\"" },
		{ "# TYPE m\tgauge\n", 1, 9, "expected a space after the metric name, found '\\t'" },
		{ "# TYPE m  gauge\n", 1, 10, "no metric type: \" gauge\"" },
		{ "# TYPE m gauge \n", 1, 10, "no metric type: \"gauge \"" },
		{ "# TYPE m gauge x\n", 1, 10, "no metric type: \"gauge x\"" },
		{ "# TYPE m Gauge\n", 1, 10, "no metric type: \"Gauge\"" },
		{ "# TYPE m untyped\n", 1, 10, "no metric type: \"untyped\"" },
		{ "# TYPE m gauge_histogram\n", 1, 10, "no metric type: \"gauge_histogram\"" },
		{ "# TYPE m{} gauge\n", 1, 9, "expected a space after the metric name, found '{'" },
		{ "# HELP\n", 1, 7, "expected a space after the keyword, found the end of the line" },
		{ "# HELP m\n", 1, 9, "expected a space after the metric name, found the end of the line" },
		{ "# UNIT m\n", 1, 9, "expected a space after the metric name, found the end of the line" },
		{ "# UNIT m seconds\n", 1, 10, "a unit that the name does not end in: \"seconds\"" },
		{ "# UNIT seconds seconds\n", 1, 16, "a unit that the name does not end in: \"seconds\"" },
		{ "# UNIT m_s s \n", 1, 12, "invalid unit \"s \"" },
		{ "# UNIT m_s _s\n", 1, 12, "a unit that the name does not end in: \"_s\"" },
		{ "# UNIT mss s\n", 1, 12, "a unit that the name does not end in: \"s\"" },
		{ "# UNIT m_a-b a-b\n", 1, 11, "expected a space after the metric name, found '-'" },
		{ "# UNIT m_\xc2\xb5 \xc2\xb5\n", 1, 10,
				"expected a space after the metric name, found 'µ'" },
		{ "# TYPE m_s info\n# UNIT m_s s\n", 2, 1, "a unit for the type info" },
		{ "# TYPE m_s stateset\n# UNIT m_s s\n", 2, 1, "a unit for the type stateset" },
		{ "# UNIT m_s s\n# TYPE m_s info\n", 2, 1, "a unit for the type info" },
		{ "# UNIT m_s_total s\n", 1, 18, "a unit that the name does not end in: \"s\"" },
		/* One of each, before the samples. */
		{ "# TYPE m gauge\n# TYPE m gauge\n", 2, 1, "a second TYPE line for \"m\"" },
		{ "# TYPE m gauge\n# TYPE m counter\n", 2, 1, "a second TYPE line for \"m\"" },
		{ "# HELP m x\n# HELP m x\n", 2, 1, "a second HELP line for \"m\"" },
		{ "# HELP m \n# HELP m \n", 2, 1, "a second HELP line for \"m\"" },
		{ "# UNIT m \n# UNIT m \n", 2, 1, "a second UNIT line for \"m\"" },
		{ "# UNIT m_s s\n# HELP m_s x\n# UNIT m_s \n", 3, 1, "a second UNIT line for \"m_s\"" },
		{ "m 1\n# TYPE m gauge\n", 2, 1, "metadata after samples" },
		{ "m 1\n# HELP m x\n", 2, 1, "metadata after samples" },
		{ "# TYPE m_s gauge\nm_s 1\n# UNIT m_s s\n", 3, 1, "metadata after samples" },
	};
	CHECK_BAD(cases);
}

static void test_utf8_names(void)
{
	static const struct openmetrics_bad cases[] = {
		{ "'m' 1\n", 1, 1, "a quote at the start of the line" },
		{ "'m'{} 1\n", 1, 1, "a quote at the start of the line" },
		{ "{''} 1\n", 1, 2, "an empty name" },
		{ "{'m'\n", 1, 5, "expected ',' or '}' after a label, found the end of the line" },
		{ "{'m\n", 1, 2, "the quote is not closed in this line" },
		{ "{m} 1\n", 1, 3, "expected '=' after the label name, found '}'" },
		{ "{'m','n'} 1\n", 1, 6, "a second metric name: \"n\"" },
		{ "{'m';a='b'} 1\n", 1, 5, "expected ',' or '}' after a label, found ';'" },
		{ "m{'n'} 1\n", 1, 3, "a second metric name: \"n\"" },
		{ "m{''='x'} 1\n", 1, 3, "an empty name" },
		{ "{a='b'} 1\n", 1, 1, "no metric name" },
		{ "{'m',a='b','a'='c'} 1\n", 1, 13, "two labels named \"a\"" },
		{ "{'_m'} 1\n", 1, 2, "reserved metric name \"_m\"" },
		{ "m{'_a.b'='c'} 1\n", 1, 3, "reserved label name \"_a.b\"" },
		{ "m{'__name__'='c'} 1\n", 1, 3, "reserved label name \"__name__\"" },
		{ "# TYPE '' gauge\n", 1, 8, "an empty name" },
		{ "# TYPE 'm gauge\n", 1, 8, "the quote is not closed in this line" },
		{ "# TYPE 'm'gauge\n", 1, 11, "expected a space after the metric name, found 'g'" },
		{ "# TYPE '_m' gauge\n", 1, 8, "reserved metric name \"_m\"" },
		{ "# TYPE a.b gauge\n", 1, 9, "expected a space after the metric name, found '.'" },
		{ "# TYPE 'a.b' counter\n{'a.b'} 1\n", 2, 2,
				"the counter \"a.b\" of line 1 has no such sample" },
		{ "# TYPE 'a.b_total' counter\n{'a.b_total'} 1\n", 2, 2,
				"the counter \"a.b_total\" of line 1 has no such sample" },
		{ "{'a.b'} 1\n{'a.b'} 2\n", 2, 2, "the series was given before" },
		{ "{'a.b'} 1\nm 1\n{'a.b',x='1'} 1\n", 3, 2, "the lines of \"a.b\" are not together" },
		{ "m{a='1'} 1\nm{'a'='1'} 1\n", 2, 1, "the series was given before" },
		{ "m{a='2'} 1\nm{a='1'} 1\nm{'a'='2'} 1\n", 3, 1, "the series was given before" },
		{ "# TYPE c counter\nc_total 1 # {'m'} 1\n", 2, 17,
				"expected '=' after the label name, found '}'" },
		{ "# TYPE c counter\nc_total 1 # {'a'='1',a='2'} 1\n", 2, 13,
				"an exemplar with two labels named \"a\"" },
		{ "# UNIT 'a.b' b\n", 1, 14, "a unit that the name does not end in: \"b\"" },
	};
	driver.options.utf8_names = true;
	CHECK_BAD(cases);
	driver.options.utf8_names = false;
}

/* ---- The body as a whole ---- */

/* These are bodies as they are. */
static void test_ends(void)
{
	static const struct openmetrics_bad cases[] = {
		{ "", 1, 1, "the body ends without \"# EOF\"" },
		{ "m 1\n", 2, 1, "the body ends without \"# EOF\"" },
		{ "m 1", 1, 4, "the body ends without \"# EOF\"" },
		{ "m", 1, 2, "the body ends without \"# EOF\"" },
		{ "m{a=\"", 1, 6, "the body ends without \"# EOF\"" },
		{ "# EO", 1, 5, "the body ends without \"# EOF\"" },
		{ "m 1\n#", 2, 2, "the body ends without \"# EOF\"" },
		{ "m 1\n# eof\n", 2, 1, "a comment" },
		{ "m 1\n #EOF\n", 2, 1, "a blank at the start of the line" },
		{ "# EOF\r\n", 1, 6, "expected the end of the line, found '\\r'" },
		{ "# EOF\n\n", 2, 1, "more behind \"# EOF\"" },
		{ "# EOF\n ", 2, 1, "more behind \"# EOF\"" },
		{ "m 1\n# EOF\nm 2", 3, 1, "more behind \"# EOF\"" },
		{ "\xef\xbb\xbf# EOF\n", 1, 1, "a byte order mark" },
		{ "\xef\xbb\xbf", 1, 1, "a byte order mark" },
		{ "# EOF\xc3", 1, 6, "expected the end of the line, found '\xc3\x83'" },
		{ "# EOF\xc3\xa9", 1, 6, "expected the end of the line, found '\xc3\xa9'" },
		{ "\xff", 1, 2, "the body ends without \"# EOF\"" },
		/* What is wrong with the last metric shows at the end. */
		{ "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n# EOF", 2, 1,
				"no bucket le=\"+Inf\" for \"h\"" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_INT(openmetrics_try(&driver, slice_of_string(cases[i].body)), FORMAT_E_SYNTAX);
		CHECK_INT(driver.error.line, cases[i].line);
		CHECK_INT(driver.error.column, cases[i].column);
		CHECK_STRING(driver.error.what, cases[i].what);
		CHECK(driver.error.column <= driver.error.line_text.len + 1);
	}
}

/* Cut off anywhere, a body is not taken. */
static void test_cut_off(void)
{
	static const char body[] =
			"# TYPE h_s histogram\n# UNIT h_s s\n# HELP h_s x\\ny\n"
			"h_s_bucket{a=\"b\\\"c\",le=\"1.0\"} 1 # {t=\"x\"} 0.5 123\n"
			"h_s_bucket{a=\"b\\\"c\",le=\"+Inf\"} 2 # {} 4\nh_s_count{a=\"b\\\"c\"} 2\n"
			"h_s_sum{a=\"b\\\"c\"} 4.5\nh_s_created{a=\"b\\\"c\"} 123.5\n# EOF";
	struct slice whole = slice_of_string(body);
	for (size_t len = 0; len < whole.len; len++) {
		CHECK_INT(openmetrics_try(&driver, slice_first(whole, len)), FORMAT_E_SYNTAX);
	}
	CHECK_INT(openmetrics_try(&driver, whole), FORMAT_OK);
}

/* ---- What would be right ---- */

static void test_hints(void)
{
	static const struct {
		const char *body;
		const char *hint;
	} cases[] = {
		{ "# TYPE m untyped\n", "OpenMetrics calls it unknown" },
		{ "# TYPE m_total counter\nm_total 1\n",
				"the TYPE line has the name without _total: \"m\"" },
		{ "# TYPE m_info info\nm_info 1\n", "the TYPE line has the name without _info: \"m\"" },
		{ "# TYPE m counter\nm 1\n", "its samples are named \"m_total\", \"m_created\"" },
		{ "# TYPE _total counter\n_total 1\n", "a metric name begins with a letter or a colon" },
		{ "# TYPE m counter\n# HELP m_total x\n",
				"TYPE, UNIT and HELP lines have the family's name, \"m\"" },
		{ "m 1\nn 1\nm 2\n", "others begin in line 1" },
		{ "m_sum 1\n# TYPE m summary\n", "a sample of the summary may have it" },
		{ "m {a='b'} 1\n", "labels follow the name without a space" },
		{ "{'m'} 1\n", "OpenMetrics 1.0 has none; --push.enable-utf8-names allows them" },
		{ "m 1\r\n", "lines end in a line feed alone" },
		{ "m 1\nm 2\n", "line 1 has the same labels" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_INT(openmetrics_try_case(&driver, cases[i].body), FORMAT_E_SYNTAX);
		CHECK_STRING(driver.error.hint, cases[i].hint);
	}
}

/* The line that is shown is the one where the fault is, not the one being read. */
static void test_line_texts(void)
{
	CHECK_INT(openmetrics_try_case(
					  &driver, "# TYPE h histogram\nh_bucket{le='1'} 1\nh_count 1\nh_sum 1\nm 1\n"),
			FORMAT_E_SYNTAX);
	CHECK_STRING(driver.error.line_text, "h_bucket{le=\"1\"} 1");
	CHECK_INT(openmetrics_try_case(&driver, "m 1 \nn 1\n"), FORMAT_E_SYNTAX);
	CHECK_STRING(driver.error.line_text, "m 1 ");
}

/* Names in messages are printable and of moderate length. */
static void test_long_names(void)
{
	static char body[3000] = "# TYPE ";
	memset(body + 7, 'm', 900);
	strcpy(body + 907, " counter\n");
	memset(body + 916, 'm', 900);
	strcpy(body + 1816, " 1\n");
	CHECK_INT(openmetrics_try_case(&driver, body), FORMAT_E_SYNTAX);
	CHECK(driver.error.what.len < 400);
	CHECK(driver.error.hint.len < 1000);
	driver.options.utf8_names = true;
	CHECK_INT(openmetrics_try_case(&driver,
					  "{'a\x01\\n\xc2\x9b'} 1\n{'a\x01\\n\xc2\x9b'} 1\nm 1\n"
					  "{'a\x01\\n\xc2\x9b'} 1\n"),
			FORMAT_E_SYNTAX);
	CHECK_INT(openmetrics_try_case(&driver, "{'a\x01\\n'} 1\nm 1\n{'a\x01\\n'} 1\n"),
			FORMAT_E_SYNTAX);
	CHECK_STRING(driver.error.what, "the lines of \"a\\x01\\n\" are not together");
	driver.options.utf8_names = false;
}

int main(void)
{
	hash_init();
	openmetrics_driver_init(&driver);
	RUN(test_lines);
	RUN(test_names);
	RUN(test_labels);
	RUN(test_values);
	RUN(test_metadata);
	RUN(test_utf8_names);
	RUN(test_ends);
	RUN(test_cut_off);
	RUN(test_hints);
	RUN(test_line_texts);
	RUN(test_long_names);
	openmetrics_driver_finish(&driver);
	return check_done();
}
