/*
 * OpenMetrics: families, series and values that are refused though each line can be read.
 */

#include "base/hash.h"
#include "unit/openmetrics_driver.h"

static struct openmetrics_driver driver;

#define CHECK_BAD(cases) openmetrics_check_bad(&driver, (cases), sizeof(cases) / sizeof((cases)[0]))

static void test_families(void)
{
	static const struct openmetrics_bad cases[] = {
		/* Together. */
		{ "a 1\nb 1\na 2\n", 3, 1, "the lines of \"a\" are not together" },
		{ "a{x='1'} 1\nb 1\na{x='2'} 2\n", 3, 1, "the lines of \"a\" are not together" },
		{ "# TYPE a gauge\n# TYPE b gauge\n# HELP a x\n", 3, 8,
				"the lines of \"a\" are not together" },
		{ "# TYPE a gauge\na 1\nb 1\n# TYPE a gauge\n", 4, 8,
				"the lines of \"a\" are not together" },
		{ "# TYPE a counter\na_total 1\nb 1\na_created 5\n", 4, 1,
				"the lines of \"a\" are not together" },
		{ "# TYPE a histogram\na_bucket{le='+Inf'} 1\n# TYPE b gauge\na_bucket{le='+Inf'} 1\n", 4,
				1, "the lines of \"a\" are not together" },
		{ "# TYPE a summary\nb 1\na_sum 1\n", 3, 1, "the lines of \"a\" are not together" },
		{ "# HELP a x\n# HELP b x\na 1\n", 3, 1, "the lines of \"a\" are not together" },
		/* The name of a family goes without the suffixes of its samples. */
		{ "# TYPE a_total counter\na_total 1\n", 2, 1,
				"the counter \"a_total\" of line 1 has no such sample" },
		{ "# TYPE a counter\n# HELP a_total x\na_total 1\n", 2, 8,
				"\"a_total\" is a sample of the counter in line 1" },
		{ "# TYPE a counter\na_total 1\n# HELP a_total x\n", 3, 8,
				"\"a_total\" is a sample of the counter in line 1" },
		{ "# TYPE a_info info\na_info 1\n", 2, 1,
				"the info \"a_info\" of line 1 has no such sample" },
		{ "# TYPE a counter\na 1\n", 2, 1, "the counter \"a\" of line 1 has no such sample" },
		{ "# TYPE a info\na 1\n", 2, 1, "the info \"a\" of line 1 has no such sample" },
		{ "# TYPE a histogram\na 1\n", 2, 1, "the histogram \"a\" of line 1 has no such sample" },
		{ "# TYPE a histogram\na_bucket{le='+Inf'} 1\na 1\n", 3, 1,
				"the histogram \"a\" of line 1 has no such sample" },
		{ "# TYPE a gaugehistogram\na_bucket{le='+Inf'} 1\na_sum 1\na 1\n", 4, 1,
				"the gaugehistogram \"a\" of line 1 has no such sample" },
		/* Nor may a name be that of another family's sample, there or not. */
		{ "# TYPE a_total gauge\n# TYPE a counter\n", 2, 1,
				"the name \"a_total\" is taken by line 1" },
		{ "# TYPE a counter\n# TYPE a_total gauge\n", 2, 8,
				"\"a_total\" is a sample of the counter in line 1" },
		{ "# TYPE a_created gauge\na_created 1\n# TYPE a counter\na_total 1\n", 3, 1,
				"the name \"a_created\" is taken by line 1" },
		{ "a_sum 1\n# TYPE a summary\n", 2, 1, "the name \"a_sum\" is taken by line 1" },
		{ "# TYPE a histogram\na_bucket{le='+Inf'} 1\n# TYPE a_count counter\n", 3, 8,
				"\"a_count\" is a sample of the histogram in line 1" },
		{ "# TYPE a info\n# TYPE a_info info\n", 2, 8,
				"\"a_info\" is a sample of the info in line 1" },
		{ "# TYPE a gaugehistogram\n# TYPE a_gsum gauge\n", 2, 8,
				"\"a_gsum\" is a sample of the gaugehistogram in line 1" },
		{ "# TYPE a_bucket histogram\n# TYPE a gaugehistogram\n", 2, 1,
				"the name \"a_bucket\" is taken by line 1" },
		{ "# TYPE a gauge\na 1\n# TYPE a_created gauge\n# TYPE a histogram\n", 4, 8,
				"the lines of \"a\" are not together" },
	};
	CHECK_BAD(cases);
}

static void test_series(void)
{
	static const struct openmetrics_bad cases[] = {
		{ "a 1\na 1\n", 2, 1, "the series was given before" },
		{ "a{x='1'} 1\na{x='1'} 2\n", 2, 1, "the series was given before" },
		{ "a{x='1',y='2'} 1\na{y='2',x='1'} 2\n", 2, 1, "the series was given before" },
		{ "a{x='2'} 1\na{x='1'} 1\na{x='2'} 1\n", 3, 1, "the series was given before" },
		{ "a{x='2',y='\\d'} 1\na{x='1'} 1\na{y='\\\\d',x='2'} 1\n", 3, 1,
				"the series was given before" },
		{ "a 1\na{x='1'} 1\na 1\n", 3, 1, "the series was given before" },
		{ "# TYPE a counter\na_total 1\na_total 2\n", 3, 1, "the series was given before" },
		{ "# TYPE a counter\na_total 1\na_created 5\na_created 5\n", 4, 1,
				"the series was given before" },
		{ "# TYPE a info\na_info{x='1'} 1\na_info{x='1'} 1\n", 3, 1,
				"the series was given before" },
		{ "# TYPE a info\na_info{x='1'} 1\na_info{x='0'} 1\na_info{x='1'} 1\n", 4, 1,
				"the series was given before" },
		{ "# TYPE a stateset\na{a='x'} 1\na{a='x'} 0\n", 3, 10, "\"x\" was given before" },
		{ "# TYPE a stateset\na{a='x'} 1\na{a='z'} 0\na{a='y'} 0\na{a='z'} 0\n", 5, 10,
				"\"z\" was given before" },
		{ "# TYPE a summary\na{quantile='0.5'} 1\na{quantile='0.50'} 1\n", 3, 20,
				"\"0.5\" was given before" },
		{ "# TYPE a summary\na{quantile='1'} 1\na{quantile='0'} 1\na{quantile='1.0'} 1\n", 4, 19,
				"\"1\" was given before" },
		{ "# TYPE a summary\na_sum 1\na{quantile='0'} 1\na_sum 1\n", 4, 1,
				"the series was given before" },
		{ "# TYPE a histogram\na_bucket{le='1'} 1\na_bucket{le='1.0'} 1\na_bucket{le='+Inf'} 1\n",
				3, 14, "buckets out of order" },
		{ "# TYPE a histogram\na_bucket{le='+Inf'} 1\na_bucket{le='+Inf'} 1\n", 3, 14,
				"buckets out of order" },
		{ "# TYPE a histogram\na_bucket{le='+Inf'} 1\na_count 1\na_sum 1\na_count 1\n", 5, 1,
				"the series was given before" },
		/* Metrics together. */
		{ "# TYPE a counter\na_total{x='1'} 1\na_total{x='2'} 1\na_created{x='1'} 5\n", 4, 1,
				"the lines of the metric are not together" },
		{ "# TYPE a summary\na_count{x='1'} 1\na_count{x='2'} 1\na_sum{x='1'} 1\na_sum{x='2'} 1\n",
				4, 1, "the lines of the metric are not together" },
		{ "# TYPE a stateset\na{a='x',e='1'} 1\na{a='x',e='2'} 1\na{a='y',e='1'} 1\n", 4, 1,
				"the lines of the metric are not together" },
		{ "# TYPE a histogram\na_bucket{x='1',le='+Inf'} 1\na_bucket{x='2',le='+Inf'} "
		  "1\na_count{x='1'} 1\na_sum{x='1'} 1\n",
				4, 1, "the lines of the metric are not together" },
		/* Points together, in the order of time. */
		{ "a 1 5\na 2 4\n", 2, 5, "a timestamp before that of the line above" },
		{ "a 1 5\na 2 5\n", 2, 1, "the series was given before" },
		{ "a 1 5\na 2 5.0\n", 2, 1, "the series was given before" },
		{ "a 1 1e1\na 2 10\n", 2, 1, "the series was given before" },
		{ "a 1 -1\na 2 -1.5\n", 2, 5, "a timestamp before that of the line above" },
		{ "a 1 0\na 2 -0.0\n", 2, 1, "the series was given before" },
		{ "a 1 1520879607.000000002\na 2 1520879607.000000001\n", 2, 5,
				"a timestamp before that of the line above" },
		{ "a 1 100\na 2 99.9\n", 2, 5, "a timestamp before that of the line above" },
		{ "a 1 5\na 2\n", 2, 1, "some samples of the metric have timestamps, some have none" },
		{ "a 1\na 2 5\n", 2, 1, "some samples of the metric have timestamps, some have none" },
		{ "# TYPE a summary\na_count 0 123\na_count 0 456\na_sum 0 123\na_sum 0 456\n", 4, 9,
				"a timestamp before that of the line above" },
		{ "# TYPE a counter\na_total 1 5\na_created 1\n", 3, 1,
				"some samples of the metric have timestamps, some have none" },
		{ "a{x='1'} 1 5\na{x='2'} 1 5\na{x='1'} 1 6\n", 3, 1,
				"the lines of the metric are not together" },
		{ "# TYPE a info\na_info{x='1'} 1 5\na_info{x='1'} 1 4\n", 3, 17,
				"a timestamp before that of the line above" },
		{ "# TYPE a info\na_info{x='1'} 1 5\na_info{x='1'} 1 5\n", 3, 1,
				"the series was given before" },
		{ "# TYPE a histogram\na_bucket{le='+Inf'} 1 5\na_count 1 6\na_sum 1 6\n", 3, 1,
				"no bucket le=\"+Inf\" for \"a\"" },
	};
	CHECK_BAD(cases);
}

static void test_types(void)
{
	static const struct openmetrics_bad cases[] = {
		{ "# TYPE m counter\nm_total -1\n", 2, 9, "\"m_total\" is negative" },
		{ "# TYPE m counter\nm_total -Inf\n", 2, 9, "\"m_total\" is negative" },
		{ "# TYPE m counter\nm_total -1e-300\n", 2, 9, "\"m_total\" is negative" },
		{ "# TYPE m counter\nm_total NaN\n", 2, 9, "\"m_total\" is NaN" },
		{ "# TYPE m counter\nm_created 5\n", 2, 1, "no _total for the counter \"m\"" },
		{ "# TYPE m counter\nm_total{a='1'} 5\nm_created{a='2'} 5\n", 3, 1,
				"no _total for the counter \"m\"" },
		{ "# TYPE m counter\nm_total 1\nm_created NaN\n", 3, 11, "\"m_created\" is not a time" },
		{ "# TYPE m counter\nm_total 1\nm_created +Inf\n", 3, 11, "\"m_created\" is not a time" },
		{ "# TYPE m info\nm_info 0\n", 2, 8, "\"m_info\" is not 1" },
		{ "# TYPE m info\nm_info NaN\n", 2, 8, "\"m_info\" is not 1" },
		{ "# TYPE m info\nm_info 1.0000001\n", 2, 8, "\"m_info\" is not 1" },
		{ "# TYPE m stateset\nm{m='a'} 2\n", 2, 10, "\"m\" is neither 0 nor 1" },
		{ "# TYPE m stateset\nm{m='a'} 0.5\n", 2, 10, "\"m\" is neither 0 nor 1" },
		{ "# TYPE m stateset\nm{m='a'} -1\n", 2, 10, "\"m\" is neither 0 nor 1" },
		{ "# TYPE m stateset\nm{m='a'} NaN\n", 2, 10, "\"m\" is neither 0 nor 1" },
		{ "# TYPE m stateset\nm{a='m'} 1\n", 2, 1, "no label named \"m\"" },
		{ "# TYPE m stateset\nm 1\n", 2, 1, "no label named \"m\"" },
		{ "# TYPE m summary\nm 1\n", 2, 1, "no label named \"quantile\"" },
		{ "# TYPE m summary\nm{le='1'} 1\n", 2, 1, "no label named \"quantile\"" },
		{ "# TYPE m summary\nm{quantile=''} 1\n", 2, 13, "invalid quantile: \"\"" },
		{ "# TYPE m summary\nm{quantile='x'} 1\n", 2, 13, "invalid quantile: \"x\"" },
		{ "# TYPE m summary\nm{quantile='NaN'} 1\n", 2, 13, "invalid quantile: \"NaN\"" },
		{ "# TYPE m summary\nm{quantile='-0.1'} 1\n", 2, 13, "invalid quantile: \"-0.1\"" },
		{ "# TYPE m summary\nm{quantile='1.000001'} 1\n", 2, 13, "invalid quantile: \"1.000001\"" },
		{ "# TYPE m summary\nm{quantile='+Inf'} 1\n", 2, 13, "invalid quantile: \"+Inf\"" },
		{ "# TYPE m summary\nm{quantile='1_0'} 1\n", 2, 13, "invalid quantile: \"1_0\"" },
		{ "# TYPE m summary\nm{quantile='0.5'} -1\n", 2, 19, "\"m\" is negative" },
		{ "# TYPE m summary\nm_sum{quantile='0.5'} 1\n", 2, 7,
				"a label reserved here: \"quantile\"" },
		{ "# TYPE m summary\nm_sum -1\n", 2, 7, "\"m_sum\" is negative" },
		{ "# TYPE m summary\nm_sum NaN\n", 2, 7, "\"m_sum\" is NaN" },
		{ "# TYPE m summary\nm_count -1\n", 2, 9, "\"m_count\" is negative" },
		{ "# TYPE m summary\nm_count NaN\n", 2, 9, "\"m_count\" is NaN" },
		{ "# TYPE m summary\nm_count 1.5\n", 2, 9, "\"m_count\" is not a whole number" },
		{ "# TYPE m summary\nm_count +Inf\n", 2, 9, "\"m_count\" is not a whole number" },
		{ "# TYPE m summary\nm_count 1e-1\n", 2, 9, "\"m_count\" is not a whole number" },
	};
	CHECK_BAD(cases);
}

static void test_histograms(void)
{
	static const struct openmetrics_bad cases[] = {
		{ "# TYPE h histogram\nh_bucket 1\n", 2, 1, "no label named \"le\"" },
		{ "# TYPE h histogram\nh_bucket{quantile='1'} 1\n", 2, 1, "no label named \"le\"" },
		{ "# TYPE h histogram\nh_bucket{le=''} 1\n", 2, 14, "invalid le: \"\"" },
		{ "# TYPE h histogram\nh_bucket{le='x'} 1\n", 2, 14, "invalid le: \"x\"" },
		{ "# TYPE h histogram\nh_bucket{le='NaN'} 1\n", 2, 14, "invalid le: \"NaN\"" },
		{ "# TYPE h histogram\nh_bucket{le='nan'} 1\n", 2, 14, "invalid le: \"nan\"" },
		{ "# TYPE h histogram\nh_bucket{le='Inf'} 1\n", 2, 14, "invalid le: \"Inf\"" },
		{ "# TYPE h histogram\nh_bucket{le='+inf'} 1\n", 2, 14, "invalid le: \"+inf\"" },
		{ "# TYPE h histogram\nh_bucket{le='+Infinity'} 1\n", 2, 14, "invalid le: \"+Infinity\"" },
		{ "# TYPE h histogram\nh_bucket{le=' 1'} 1\n", 2, 14, "invalid le: \" 1\"" },
		{ "# TYPE h histogram\nh_bucket{le='1_0'} 1\n", 2, 14, "invalid le: \"1_0\"" },
		{ "# TYPE h histogram\nh_bucket{le='0x1'} 1\n", 2, 14, "invalid le: \"0x1\"" },
		{ "# TYPE h histogram\nh_bucket{le='1e999'} 1\n", 2, 14, "invalid le: \"1e999\"" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_sum{le='1'} 1\n", 3, 7,
				"a label reserved here: \"le\"" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_created{le='1'} 1\n", 3, 11,
				"a label reserved here: \"le\"" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} -1\n", 2, 21, "\"h_bucket\" is negative" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} NaN\n", 2, 21, "\"h_bucket\" is NaN" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 0.5\n", 2, 21,
				"\"h_bucket\" is not a whole number" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} +Inf\n", 2, 21,
				"\"h_bucket\" is not a whole number" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_count 1.5\n", 3, 9,
				"\"h_count\" is not a whole number" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_count -1\n", 3, 9,
				"\"h_count\" is negative" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_sum -1\n", 3, 7, "\"h_sum\" is negative" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_sum NaN\n", 3, 7, "\"h_sum\" is NaN" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_created nan\n", 3, 11,
				"\"h_created\" is not a time" },
		/* The last bucket has everything. */
		{ "# TYPE h histogram\nh_count 1\nh_sum 1\n", 2, 1, "no bucket le=\"+Inf\" for \"h\"" },
		{ "# TYPE h histogram\nh_created 5\n", 2, 1, "no bucket le=\"+Inf\" for \"h\"" },
		{ "# TYPE h histogram\nh_bucket{le='1'} 1\n", 2, 1, "no bucket le=\"+Inf\" for \"h\"" },
		{ "# TYPE h histogram\nh_bucket{le='1'} 1\nh_sum 1\nh_count 1\n", 2, 1,
				"no bucket le=\"+Inf\" for \"h\"" },
		{ "# TYPE h histogram\nh_bucket{le='1'} 1\nh_bucket{le='1e308'} 1\n", 3, 1,
				"no bucket le=\"+Inf\" for \"h\"" },
		{ "# TYPE h histogram\nh_bucket{a='1',le='1'} 1\nh_bucket{a='2',le='+Inf'} 1\n", 2, 1,
				"no bucket le=\"+Inf\" for \"h\"" },
		{ "# TYPE h histogram\nh_bucket{a='1',le='+Inf'} 1\nh_sum{a='2'} 1\nh_count{a='2'} 1\n", 3,
				1, "no bucket le=\"+Inf\" for \"h\"" },
		{ "# TYPE h histogram\nh_bucket{le='2'} 1\nh_bucket{le='1'} 1\nh_bucket{le='+Inf'} 1\n", 3,
				14, "buckets out of order" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_bucket{le='1'} 1\n", 3, 14,
				"buckets out of order" },
		{ "# TYPE h histogram\nh_bucket{le='1'} 2\nh_bucket{le='+Inf'} 1\n", 3, 21,
				"a bucket with less than the one before" },
		{ "# TYPE h histogram\nh_bucket{le='1'} 10\nh_bucket{le='+Inf'} 9.0\n", 3, 21,
				"a bucket with less than the one before" },
		{ "# TYPE h histogram\nh_bucket{le='1'} 9007199254740993\nh_bucket{le='+Inf'} "
		  "9007199254740992\n",
				3, 21, "a bucket with less than the one before" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_sum 1\n", 3, 1,
				"only one of sum and count for \"h\"" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_count 1\n", 3, 1,
				"only one of sum and count for \"h\"" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_count 2\nh_sum 1\n", 3, 1,
				"a count that is not the last bucket of \"h\"" },
		{ "# TYPE h histogram\nh_sum 1\nh_count 0\nh_bucket{le='+Inf'} 1\n", 3, 1,
				"a count that is not the last bucket of \"h\"" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 9007199254740993\nh_count "
		  "9007199254740992\nh_sum 1\n",
				3, 1, "a count that is not the last bucket of \"h\"" },
		{ "# TYPE h histogram\nh_bucket{le='-1'} 0\nh_bucket{le='+Inf'} 1\nh_count 1\nh_sum 1\n", 5,
				1, "a sum beside negative buckets for \"h\"" },
		{ "# TYPE h histogram\nh_bucket{le='+Inf'} 1\nh_gsum 1\nh_gcount 1\nh_sum 1\n", 5, 1,
				"the lines of \"h\" are not together" },
		/* Gauge histograms likewise. */
		{ "# TYPE g gaugehistogram\ng_bucket{le='1'} 1\n", 2, 1,
				"no bucket le=\"+Inf\" for \"g\"" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} 1.5\n", 2, 21,
				"\"g_bucket\" is not a whole number" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} -1\n", 2, 21, "\"g_bucket\" is negative" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} 1\ng_gsum 1\n", 3, 1,
				"only one of sum and count for \"g\"" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} 1\ng_gcount 1\n", 3, 1,
				"only one of sum and count for \"g\"" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} 1\ng_gcount 2\ng_gsum 1\n", 3, 1,
				"a count that is not the last bucket of \"g\"" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} 1\ng_gcount 1.5\n", 3, 10,
				"\"g_gcount\" is not a whole number" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} 1\ng_gcount 1\ng_gsum NaN\n", 4, 8,
				"\"g_gsum\" is NaN" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} 1\ng_gcount 1\ng_gsum -1\n", 4, 1,
				"a negative sum for \"g\"" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} 1\ng_gsum{le='1'} 1\n", 3, 8,
				"a label reserved here: \"le\"" },
		{ "# TYPE g gaugehistogram\ng_bucket{le='+Inf'} 1\ng_created 1\ng_bucket{le='+Inf'} 1\n", 4,
				1, "the lines of \"g\" are not together" },
	};
	CHECK_BAD(cases);
}

static void test_exemplars(void)
{
	static const struct openmetrics_bad cases[] = {
		{ "# TYPE m gauge\nm 1 # {} 1\n", 2, 5, "an exemplar where there can be none" },
		{ "m 1 # {} 1\n", 1, 5, "an exemplar where there can be none" },
		{ "# TYPE m counter\nm_created 1 # {} 1\n", 2, 13, "an exemplar where there can be none" },
		{ "# TYPE m summary\nm{quantile='0.5'} 1 # {} 1\n", 2, 21,
				"an exemplar where there can be none" },
		{ "# TYPE m summary\nm_count 1 # {} 1\n", 2, 11, "an exemplar where there can be none" },
		{ "# TYPE m info\nm_info 1 # {} 1\n", 2, 10, "an exemplar where there can be none" },
		{ "# TYPE m stateset\nm{m='a'} 1 # {} 1\n", 2, 12, "an exemplar where there can be none" },
		{ "# TYPE m histogram\nm_bucket{le='+Inf'} 1\nm_count 1 # {} 1\n", 3, 11,
				"an exemplar where there can be none" },
		{ "# TYPE m gaugehistogram\nm_bucket{le='+Inf'} 1\nm_gcount 1 # {} 1\n", 3, 12,
				"an exemplar where there can be none" },
		{ "# TYPE m counter\nm_total 1 #\n", 2, 12,
				"expected a space after '#', found the end of the line" },
		{ "# TYPE m counter\nm_total 1 # \n", 2, 13, "nothing behind the space" },
		{ "# TYPE m counter\nm_total 1# {} 1\n", 2, 9, "invalid value \"1#\"" },
		{ "# TYPE m counter\nm_total 1 #{} 1\n", 2, 12, "expected a space after '#', found '{'" },
		{ "# TYPE m counter\nm_total 1 #  {} 1\n", 2, 13, "two spaces in a row" },
		{ "# TYPE m counter\nm_total 1  # {} 1\n", 2, 11, "two spaces in a row" },
		{ "# TYPE m counter\nm_total 1 # 1\n", 2, 13,
				"expected the labels of an exemplar, found '1'" },
		{ "# TYPE m counter\nm_total 1 # {\n", 2, 14,
				"expected a label name, found the end of the line" },
		{ "# TYPE m counter\nm_total 1 # {}\n", 2, 15,
				"expected a space before the exemplar's value, found the end of the line" },
		{ "# TYPE m counter\nm_total 1 # {} \n", 2, 16, "nothing behind the space" },
		{ "# TYPE m counter\nm_total 1 # {}1\n", 2, 15,
				"expected a space before the exemplar's value, found '1'" },
		{ "# TYPE m counter\nm_total 1 # {}  1\n", 2, 16, "two spaces in a row" },
		{ "# TYPE m counter\nm_total 1 # {} x\n", 2, 16, "invalid value of an exemplar: \"x\"" },
		{ "# TYPE m counter\nm_total 1 # {} 1 \n", 2, 18, "nothing behind the space" },
		{ "# TYPE m counter\nm_total 1 # {} 1 x\n", 2, 18,
				"invalid timestamp of an exemplar: \"x\"" },
		{ "# TYPE m counter\nm_total 1 # {} 1 NaN\n", 2, 18,
				"invalid timestamp of an exemplar: \"NaN\"" },
		{ "# TYPE m counter\nm_total 1 # {} 1 +Inf\n", 2, 18,
				"invalid timestamp of an exemplar: \"+Inf\"" },
		{ "# TYPE m counter\nm_total 1 # {} 1 2 \n", 2, 19,
				"more behind the exemplar's timestamp" },
		{ "# TYPE m counter\nm_total 1 # {} 1 2 3\n", 2, 19,
				"more behind the exemplar's timestamp" },
		{ "# TYPE m counter\nm_total 1 # {} 1 # {} 2\n", 2, 18,
				"invalid timestamp of an exemplar: \"#\"" },
		{ "# TYPE m counter\nm_total 1 # {a='b',} 1\n", 2, 19, "a comma after the last label" },
		{ "# TYPE m counter\nm_total 1 # {a=b} 1\n", 2, 16,
				"expected '\"' before the label value, found 'b'" },
		{ "# TYPE m counter\nm_total 1 # {a='b',a='c'} 1\n", 2, 13,
				"an exemplar with two labels named \"a\"" },
		{ "# TYPE m counter\nm_total 1 # {_a='b'} 1\n", 2, 14, "reserved label name \"_a\"" },
		{ "# TYPE m counter\nm_total 1 5 {a='b'} 1\n", 2, 13, "more behind the timestamp" },
		{ "# TYPE m counter\nm_total 1 # "
		  "{a='"
		  "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
		  "9012345678901234567890123456789012345678'} 1\n",
				2, 13, "an exemplar with 129 characters in its labels" },
		/* It is in its bucket. */
		{ "# TYPE m histogram\nm_bucket{le='1'} 1 # {} 1.5\n", 2, 25,
				"an exemplar that is not in its bucket: \"1.5\"" },
		{ "# TYPE m histogram\nm_bucket{le='1'} 1 # {} NaN\n", 2, 25,
				"an exemplar that is not in its bucket: \"NaN\"" },
		{ "# TYPE m histogram\nm_bucket{le='-1'} 1 # {} -0.5\n", 2, 26,
				"an exemplar that is not in its bucket: \"-0.5\"" },
		{ "# TYPE m gaugehistogram\nm_bucket{le='1'} 1 # {} +Inf\n", 2, 25,
				"an exemplar that is not in its bucket: \"+Inf\"" },
	};
	CHECK_BAD(cases);
}

int main(void)
{
	hash_init();
	openmetrics_driver_init(&driver);
	RUN(test_families);
	RUN(test_series);
	RUN(test_types);
	RUN(test_histograms);
	RUN(test_exemplars);
	openmetrics_driver_finish(&driver);
	return check_done();
}
