#include "base/bytes.h"
#include "base/clock.h"
#include "base/duration.h"
#include "check.h"

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define S INT64_C(1000000000)

static void test_parses(void)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "+0", 0 },
		{ "0s", 0 },
		{ "5s", 5 * S },
		{ "+5s", 5 * S },
		{ "-5s", -5 * S },
		{ "1h30m", 5400 * S },
		{ "1h15m30.918273645s", 4530918273645 },
		{ "5m0s", 300 * S },
		{ "300ms", 300 * MS },
		{ "11us", 11 * US },
		{ "12\xc2\xb5s", 12 * US },
		{ "13\xce\xbcs", 13 * US },
		{ "1.5s", 1500 * MS },
		{ "5.s", 5 * S },
		{ ".5s", 500 * MS },
		{ "1.004s", 1004 * MS },
		{ "100.00100s", 100001 * MS },
		{ "0.3333333333333333333h", 1200 * S },
		{ "0.9223372036854775807h", 3320413933267 },
		{ "9223372036854775807ns", INT64_MAX },
		{ "9223372036854775.807us", INT64_MAX },
		{ "-9223372036854775808ns", INT64_MIN },
		{ "2562047h47m16.854775807s", INT64_MAX },
		{ "-2562047h47m16.854775808s", INT64_MIN },
		{ "0.000000000000000000000000001ns", 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = 4711;
		CHECK_INT(duration_parse(slice_of_string(cases[i].text), &ns), DURATION_OK);
		CHECK_INT(ns, cases[i].ns);
	}
}

static void test_refuses(void)
{
	static const struct {
		const char *text;
		enum duration_result result;
	} cases[] = {
		{ "", DURATION_E_SYNTAX },
		{ "-", DURATION_E_SYNTAX },
		{ ".", DURATION_E_SYNTAX },
		{ "s", DURATION_E_SYNTAX },
		{ ".s", DURATION_E_SYNTAX },
		{ "--5s", DURATION_E_SYNTAX },
		{ " 5s", DURATION_E_SYNTAX },
		{ "forever", DURATION_E_SYNTAX },
		{ "5", DURATION_E_NO_UNIT },
		{ "00", DURATION_E_NO_UNIT },
		{ "1h5", DURATION_E_NO_UNIT },
		{ "1d", DURATION_E_UNIT },
		{ "5S", DURATION_E_UNIT },
		{ "5s ", DURATION_E_UNIT },
		{ "5s-3m", DURATION_E_UNIT },
		{ "3000000h", DURATION_E_TOO_LONG },
		{ "9223372036854775808ns", DURATION_E_TOO_LONG },
		{ "-9223372036854775809ns", DURATION_E_TOO_LONG },
		{ "9223372036854775808ns9223372036854775808ns", DURATION_E_TOO_LONG },
		{ "9223372036854775.808us", DURATION_E_TOO_LONG },
		{ "99999999999999999999s", DURATION_E_TOO_LONG },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = 4711;
		CHECK_INT(duration_parse(slice_of_string(cases[i].text), &ns), cases[i].result);
		CHECK_INT(ns, 4711);
		CHECK(strlen(duration_error(cases[i].result)) > 0);
	}
}

static void test_prints(void)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ 1, "1ns" },
		{ 1100, "1.1\xc2\xb5s" },
		{ 2200 * US, "2.2ms" },
		{ 3300 * MS, "3.3s" },
		{ 245 * S, "4m5s" },
		{ 245001 * MS, "4m5.001s" },
		{ 300 * S, "5m0s" },
		{ 3600 * S, "1h0m0s" },
		{ 18367001 * MS, "5h6m7.001s" },
		{ 480000000001, "8m0.000000001s" },
		{ -1500 * MS, "-1.5s" },
		{ INT64_MAX, "2562047h47m16.854775807s" },
		{ INT64_MIN, "-2562047h47m16.854775808s" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[DURATION_TEXT_BYTES];
		struct slice printed = duration_format(cases[i].ns, text);
		CHECK_STRING(printed, cases[i].text);
		CHECK_INT(strlen(text), printed.len);
		int64_t again;
		CHECK_INT(duration_parse(printed, &again), DURATION_OK);
		CHECK_INT(again, cases[i].ns);
	}
}

static void test_bytes(void)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		const char *printed;
	} cases[] = {
		{ "0", 0, "0" },
		{ "1", 1, "1" },
		{ "1000B", 1000, "1000" },
		{ "1024", 1024, "1KiB" },
		{ "64MiB", 64 << 20, "64MiB" },
		{ "64mib", 64 << 20, "64MiB" },
		{ "64Mi", 64 << 20, "64MiB" },
		{ "1536KiB", 1536 << 10, "1536KiB" },
		{ "1GB", 1000000000, "1000000000" },
		{ "2k", 2000, "2000" },
		{ "4GiB", (uint64_t)4 << 30, "4GiB" },
		{ "8388607TiB", (uint64_t)8388607 << 40, "8388607TiB" },
		{ "9223372036854775807", INT64_MAX, "9223372036854775807" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t bytes = 4711;
		char text[BYTES_TEXT_BYTES];
		CHECK_INT(bytes_parse(slice_of_string(cases[i].text), &bytes), BYTES_OK);
		CHECK_INT(bytes, cases[i].bytes);
		CHECK_STRING(bytes_format(bytes, text), cases[i].printed);
	}
}

static void test_bytes_refused(void)
{
	static const struct {
		const char *text;
		enum bytes_result result;
	} cases[] = {
		{ "", BYTES_E_SYNTAX },
		{ "MiB", BYTES_E_SYNTAX },
		{ "-1", BYTES_E_SYNTAX },
		{ "1.5GiB", BYTES_E_UNIT },
		{ "1 GiB", BYTES_E_UNIT },
		{ "1GiBB", BYTES_E_UNIT },
		{ "1PB", BYTES_E_UNIT },
		{ "9223372036854775808", BYTES_E_TOO_MANY },
		{ "8388608TiB", BYTES_E_TOO_MANY },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t bytes;
		CHECK_INT(bytes_parse(slice_of_string(cases[i].text), &bytes), cases[i].result);
		CHECK(strlen(bytes_error(cases[i].result)) > 0);
	}
}

static void test_clock(void)
{
	uint64_t before = clock_monotonic_ns();
	CHECK(clock_monotonic_ns() >= before);
	CHECK(clock_wall_ns() > 1600000000 * S);
	clock_freeze(5, 7);
	CHECK_INT(clock_monotonic_ns(), 5);
	CHECK_INT(clock_wall_ns(), 7);
	clock_thaw();
	CHECK(clock_monotonic_ns() >= before);
}

int main(void)
{
	RUN(test_parses);
	RUN(test_refuses);
	RUN(test_prints);
	RUN(test_bytes);
	RUN(test_bytes_refused);
	RUN(test_clock);
	return check_done();
}
