/*
 * How often somebody pushes, from the gaps between pushes.
 */

#include "check.h"
#include "targets/interval.h"

static const int64_t SECOND_NS = 1000000000;

enum { MINUTE = 60, HOUR = 3600, DAY = 24 * HOUR };

/* In seconds, of gaps in seconds that end with 0. */
static int64_t learn(const int *seconds)
{
	struct interval_gaps gaps = { 0 };
	for (size_t i = 0; seconds[i] != 0; i++) {
		interval_add_gap(&gaps, (uint64_t)seconds[i] * (uint64_t)SECOND_NS);
	}
	return interval_learnt_ns(&gaps) / SECOND_NS;
}

#define LEARN(...) learn((const int[]){ __VA_ARGS__, 0 })

static void test_none_before_four_pushes(void)
{
	struct interval_gaps none = { 0 };
	CHECK_INT(interval_learnt_ns(&none), 0);
	CHECK_INT(LEARN(300), 0);
	CHECK_INT(LEARN(300, 300), 0);
	CHECK_INT(LEARN(300, 300, 300), 300);
}

static void test_a_minute_at_least(void)
{
	CHECK_INT(LEARN(15, 15, 15), MINUTE);
	CHECK_INT(LEARN(1, 15, 2, 15, 1), MINUTE);
	CHECK_INT(LEARN(61, 61, 61), 61);
}

static void test_the_last_nine(void)
{
	CHECK_INT(LEARN(600, 600, 600, 600, 600, 600, 600, 600, 600, 600, 600, 600), 600);
	CHECK_INT(LEARN(600, 600, 600, 600, 600, 90, 90, 90, 90, 90, 90, 90, 90, 90), 90);
}

static void test_jitter(void)
{
	CHECK_INT(LEARN(290, 310, 295, 305, 300), 300);
}

static void test_an_outage_does_not_count(void)
{
	CHECK_INT(LEARN(300, 300, 300, 300, HOUR, 300, 300, 300, 300), 300);
}

/* Whether it is an outage or the time between two runs is not known yet. */
static void test_unclear(void)
{
	CHECK_INT(LEARN(600, DAY, 600), 0);
	CHECK_INT(LEARN(60, 60, HOUR), 0);
}

static void test_start_and_end(void)
{
	CHECK_INT(LEARN(600, DAY - 600, 600, DAY - 600), DAY);
	CHECK_INT(LEARN(DAY - 600, 600, DAY - 600), DAY);
	CHECK_INT(LEARN(600, DAY - 600, HOUR, DAY - HOUR, 300, DAY - 300, 600), DAY);
	CHECK_INT(LEARN(HOUR, DAY - HOUR, HOUR, DAY - HOUR, HOUR, DAY - HOUR, HOUR, DAY - HOUR, HOUR),
			DAY);
}

static void test_start_middle_and_end(void)
{
	CHECK_INT(LEARN(600, 600, DAY - 1200, 600, 600, DAY - 1200, 600, 600), DAY);
}

static void test_one_push_more(void)
{
	CHECK_INT(LEARN(HOUR, HOUR, 600, HOUR - 600, HOUR), HOUR);
}

static void test_very_long_gaps(void)
{
	struct interval_gaps gaps = { 0 };
	for (int i = 0; i < 3; i++) {
		interval_add_gap(&gaps, UINT64_MAX);
	}
	CHECK_INT(interval_learnt_ns(&gaps), (int64_t)UINT32_MAX * 1000000);
}

int main(void)
{
	RUN(test_none_before_four_pushes);
	RUN(test_a_minute_at_least);
	RUN(test_the_last_nine);
	RUN(test_jitter);
	RUN(test_an_outage_does_not_count);
	RUN(test_unclear);
	RUN(test_start_and_end);
	RUN(test_start_middle_and_end);
	RUN(test_one_push_more);
	RUN(test_very_long_gaps);
	return check_done();
}
