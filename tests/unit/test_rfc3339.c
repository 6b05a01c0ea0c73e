/*
 * Times of RFC 3339: which texts are some, and which moments they are.
 */

#include <time.h>

#include "base/rfc3339.h"
#include "check.h"
#include "guard.h"

static struct guard guard;

static bool parse(const char *text, int64_t *seconds, int32_t *ns)
{
	return rfc3339_parse(guard_copy(&guard, slice_of_string(text)), seconds, ns);
}

static void test_times(void)
{
	static const struct {
		const char *text;
		int64_t seconds;
		int32_t ns;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0, 0 },
		{ "1970-01-01T00:00:00.000000001Z", 0, 1 },
		{ "1970-01-01T00:00:00.5Z", 0, 500000000 },
		{ "1970-01-01T00:00:00.9999999999Z", 0, 999999999 },
		{ "1970-01-01T01:00:00+01:00", 0, 0 },
		{ "1969-12-31T18:30:00-05:30", 0, 0 },
		{ "1969-12-31T23:59:59Z", -1, 0 },
		{ "2026-11-20T07:55:40.637187111Z", 1795161340, 637187111 },
		{ "2024-02-29T23:59:59+00:00", 1709251199, 0 },
		{ "2000-02-29T00:00:00Z", 951782400, 0 },
		{ "9999-12-31T23:59:59Z", 253402300799, 0 },
		{ "0000-01-01T00:00:00Z", -62167219200, 0 },
		{ "0000-02-29T00:00:00Z", -62162121600, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t seconds = -12345;
		int32_t ns = -1;
		CHECK(parse(cases[i].text, &seconds, &ns));
		CHECK_INT(seconds, cases[i].seconds);
		CHECK_INT(ns, cases[i].ns);
	}
}

static void test_no_times(void)
{
	static const char *const bad[] = { "", "2026", "2026-11-20", "2026-11-20T07:55:40",
		"2026-11-20 07:55:40Z", "2026-11-20t07:55:40Z", "2026-11-20T07:55:40z",
		"2026-11-20T07:55:40.Z", "2026-11-20T07:55Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-20T24:00:00Z",
		"2026-11-20T23:60:00Z", "2026-11-20T23:59:60Z", "2026-11-20T07:55:40+25:00",
		"2026-11-20T07:55:40+01:60", "2026-11-20T07:55:40+0100", "2026-11-20T07:55:40+01",
		"2026-11-20T07:55:40Z ", " 2026-11-20T07:55:40Z", "+2026-11-20T07:55:40Z",
		"12026-11-20T07:55:40Z", "2026-11-2\xd9\xa1T07:55:40Z", "now" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t seconds;
		int32_t ns;
		if (parse(bad[i], &seconds, &ns)) {
			CHECK_STRING(SLICE("taken"), bad[i]);
		}
	}
}

/* Each day of ten centuries is one day behind the one before, as the C library counts them. */
static void test_every_day(void)
{
	char text[32];
	int64_t before = -1;
	for (time_t day = -5000 * 86400LL; day < 200000 * 86400LL; day += 86400) {
		struct tm utc;
		int64_t seconds;
		int32_t ns;
		gmtime_r(&day, &utc);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
		CHECK(parse(text, &seconds, &ns));
		CHECK(seconds == (int64_t)day && seconds != before);
		before = seconds;
	}
}

int main(void)
{
	guard_init(&guard, 4096);
	RUN(test_times);
	RUN(test_no_times);
	RUN(test_every_day);
	guard_finish(&guard);
	return check_done();
}
