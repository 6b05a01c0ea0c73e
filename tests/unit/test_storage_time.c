/*
 * Times as databases write them.
 */

#include <stdlib.h>

#include "check.h"
#include "targets/storage_time.h"

static void test_read(void)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "1970-01-01 00:00:00Z", 0 },
		{ "1970-01-01 00:00:00", 0 },
		{ "1970-01-01T00:00:01Z", 1000000000 },
		{ "1970-01-01 00:00:00.5Z", 500000000 },
		{ "1970-01-01 00:00:00.123456789Z", 123456789 },
		{ "1970-01-01 00:00:00.1234567894444444444444", 123456789 },
		{ "1969-12-31 23:59:59.999999Z", -1000 },
		{ "1970-01-01 02:00:00+02", 0 },
		{ "1970-01-01 05:30:00+05:30", 0 },
		{ "1969-12-31 19:00:00-0500", 0 },
		{ "2025-11-27 15:51:44.123456+00", 1764258704123456000 },
		{ "2024-02-29 12:00:00+00", 1709208000000000000 },
		{ "2262-04-11 23:47:16Z", 9223372036000000000 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = -7;
		CHECK(storage_time_read(slice_of_string(cases[i].text), &ns));
		CHECK_INT(ns, cases[i].ns);
	}
}

static void test_refused(void)
{
	static const char *const cases[] = { "", "now", "infinity", "-infinity", "1970-01-01",
		"1970-01-01 00:00", "1970-13-01 00:00:00Z", "1970-01-00 00:00:00Z", "1970-01-01 25:00:00Z",
		"1970-01-01 00:60:00Z", "1970-01-01 00:00:00.Z", "1970-01-01 00:00:00+",
		"1970-01-01 00:00:00+1", "1970-01-01 00:00:00+01:", "1970-01-01 00:00:00Zx",
		"1970-01-01 00:00:00 BC", "10000-01-01 00:00:00Z", "2262-04-12 00:00:00Z",
		"1600-01-01 00:00:00Z", "1764258704" };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns;
		if (storage_time_read(slice_of_string(cases[i]), &ns)) {
			fprintf(stderr, "\"%s\" is taken\n", cases[i]);
			CHECK(false);
		}
	}
}

static void test_round(void)
{
	char text[STORAGE_TIME_BYTES];
	CHECK_STRING(storage_time_write(1764258704123456789, text), "2025-11-27 15:51:44.123456Z");
	CHECK_STRING(storage_time_write(-1, text), "1969-12-31 23:59:59.999999Z");
	for (int i = 0; i < 10000; i++) {
		int64_t us = ((int64_t)random() << 22 ^ random()) - ((int64_t)1 << 51);
		int64_t ns;
		CHECK(storage_time_read(storage_time_write(us * 1000, text), &ns));
		CHECK_INT(ns, us * 1000);
	}
}

int main(void)
{
	RUN(test_read);
	RUN(test_refused);
	RUN(test_round);
	return check_done();
}
