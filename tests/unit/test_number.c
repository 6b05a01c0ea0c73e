/*
 * Numbers as Go reads and writes them.
 */

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "check.h"
#include "guard.h"
#include "unit/random.h"

static struct guard guard;

static void test_is_float(void)
{
	static const char *const good[] = { "0", "1", "-1", "+1", "00", "007", "1.5", ".5", "5.", "-.5",
		"1e3", "1E3", "1e+3", "1e-3", "1.e3", ".1e1", "1e-400", "1e-99999999999", "0e99999",
		"123456789012345678901234567890", "1.7976931348623157e308", "1.7976931348623158e308", "Inf",
		"+Inf", "-inf", "INF", "infinity", "+Infinity", "-INFINITY", "nan", "NaN", "NAN" };
	static const char *const bad[] = { "", "+", "-", ".", "+.", "e", "e5", "1e", "1e+", "1e-",
		"1.5.", "1..5", "--1", "+-1", "1 ", " 1", "1x", "x", "0x10", "0x1p3", "1p3", "1_000", "_1",
		"1e1_0", "+NaN", "-nan", "in", "infi", "infinit", "infinityx", "na", "1e400", "-1e400",
		"1.8e308", "1,5", "1e5.5", "\xd9\xa1", "0b1", "1f", "nan(1)", "1e309", "10e308" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!number_is_float(guard_copy(&guard, slice_of_string(good[i])))) {
			CHECK_STRING(SLICE("not taken"), good[i]);
		}
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (number_is_float(guard_copy(&guard, slice_of_string(bad[i])))) {
			CHECK_STRING(SLICE("taken"), bad[i]);
		}
	}
	CHECK(!number_is_float(SLICE("1\0")));
}

/* However many digits it takes. */
static void test_is_float_of_many_digits(void)
{
	char text[2000];
	for (int zeros = 0; zeros < 400; zeros++) {
		text[0] = '1';
		memset(text + 1, '0', (size_t)zeros);
		for (int exponent = -400; exponent <= 400; exponent += 33) {
			int len = snprintf(text + 1 + zeros, 16, "e%d", exponent);
			struct slice whole = guard_copy(&guard, slice_make(text, (size_t)(1 + zeros + len)));
			bool wanted = zeros + exponent <= 308;
			if (number_is_float(whole) != wanted) {
				fprintf(stderr, "1, %d zeros, e%d\n", zeros, exponent);
				CHECK(!"wanted");
			}
		}
		CHECK_INT(number_is_float(guard_copy(&guard, slice_make(text, (size_t)(1 + zeros)))),
				zeros <= 308);
	}
	memset(text, '9', sizeof(text));
	text[1] = '.';
	CHECK(number_is_float(slice_make(text, sizeof(text))));
	CHECK(number_value(slice_make(text, sizeof(text))) == 10);
}

static struct slice format(double value)
{
	static char text[NUMBER_TEXT_MAX];
	return slice_make(text, number_format(value, text));
}

static void test_format(void)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "-0" },
		{ 1, "1" },
		{ -1, "-1" },
		{ 0.1, "0.1" },
		{ 0.5, "0.5" },
		{ 2.5, "2.5" },
		{ 100, "100" },
		{ 123456, "123456" },
		{ 999999, "999999" },
		{ 1e6, "1e+06" },
		{ 1e5, "100000" },
		{ 1234567, "1.234567e+06" },
		{ 123456.789, "123456.789" },
		{ 1.23456789e8, "1.23456789e+08" },
		{ 1.5e10, "1.5e+10" },
		{ 0.0001, "0.0001" },
		{ 0.00012345, "0.00012345" },
		{ 0.00001, "1e-05" },
		{ 1e-7, "1e-07" },
		{ 0x1p-1017, "7.120236347223045e-307" }, /* a power of two: its neighbours lie askew */
		{ 1e20, "1e+20" },
		{ 1e21, "1e+21" },
		{ 1e100, "1e+100" },
		{ 1.2345678901234567e19, "1.2345678901234567e+19" },
		{ 1.8446744073709552e19, "1.8446744073709552e+19" },
		{ 0.30000000000000004, "0.30000000000000004" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 5e-324, "5e-324" },
		{ 2.2250738585072014e-308, "2.2250738585072014e-308" },
		{ 1.5e-323, "1.5e-323" },
		{ 6.0995e-317, "6.0995e-317" },
		{ 1.23456789e-315, "1.23456789e-315" },
		{ DBL_MAX, "1.7976931348623157e+308" },
		{ -DBL_MAX, "-1.7976931348623157e+308" },
		{ INFINITY, "+Inf" },
		{ -INFINITY, "-Inf" },
		{ NAN, "NaN" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_STRING(format(cases[i].value), cases[i].text);
	}
}

static void test_format_plain(void)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "-0" },
		{ 1.5, "1.5" },
		{ -1e6, "-1000000" },
		{ 1.5e10, "15000000000" },
		{ 123456789.123, "123456789.123" },
		{ 1.2345678901234567e19, "12345678901234567000" },
		{ 999999999999999934463., "999999999999999900000" },
		{ -999999999999999934463., "-999999999999999900000" },
		{ 1e21, "1e+21" },
		{ 1e-6, "0.000001" },
		{ -1.2345678901234567e-6, "-0.0000012345678901234567" },
		{ 9.99e-7, "9.99e-07" },
		{ 5e-324, "5e-324" },
		{ DBL_MAX, "1.7976931348623157e+308" },
		{ INFINITY, "+Inf" },
		{ -INFINITY, "-Inf" },
		{ NAN, "NaN" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[NUMBER_TEXT_MAX];
		CHECK_STRING(slice_make(text, number_format_plain(cases[i].value, text)), cases[i].text);
	}
}

/* What is written reads back the same, and no shorter form does. */
static void test_round_trip(void)
{
	struct random_source random;
	random_init(&random);
	for (unsigned i = random_rounds(20000); i > 0; i--) {
		union {
			uint64_t bits;
			double value;
		} number = { .bits = random_next(&random) };
		if (random_once_in(&random, 4)) {
			number.bits &= ~UINT64_C(0) << random_below(&random, 52);
		}
		if (random_once_in(&random, 8)) {
			number.bits &= UINT64_MAX >> 12 >> random_below(&random, 50); /* tiny ones */
		}
		if (!isfinite(number.value)) {
			continue;
		}
		struct slice text = format(number.value);
		CHECK(number_is_float(text));
		CHECK(number_value(text) == number.value);
		char shorter[64];
		size_t digits = 0;
		for (size_t j = 0; j < text.len && text.ptr[j] != 'e'; j++) {
			digits += text.ptr[j] >= '0' && text.ptr[j] <= '9';
		}
		if (digits > 1 && slice_find_byte(text, 'e') != NULL) {
			snprintf(shorter, sizeof(shorter), "%.*e", (int)digits - 2, number.value);
			if (strtod(shorter, NULL) == number.value) {
				CHECK_STRING(text, shorter);
			}
		}
	}
}

static void test_parse_int(void)
{
	static const struct {
		const char *text;
		bool is_good;
		int64_t value;
	} cases[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "+5", true, 5 },
		{ "-17", true, -17 },
		{ "007", true, 7 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "+", false, 0 },
		{ "1.0", false, 0 },
		{ "1e3", false, 0 },
		{ "0x1", false, 0 },
		{ "1_0", false, 0 },
		{ " 1", false, 0 },
		{ "--1", false, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t value = 0;
		struct slice text = guard_copy(&guard, slice_of_string(cases[i].text));
		CHECK_INT(number_parse_int(text, &value), cases[i].is_good);
		CHECK_INT(value, cases[i].value);
	}
}

static void test_to_uint(void)
{
	const uint64_t two63 = UINT64_C(1) << 63;
	CHECK(number_to_uint(0) == 0);
	CHECK(number_to_uint(4.7) == 4);
	CHECK(number_to_uint(-0.5) == 0);
	CHECK(number_to_uint(-4) == UINT64_MAX - 3);
	CHECK(number_to_uint(9007199254740993.0) == 9007199254740992);
	CHECK(number_to_uint(9223372036854775808.0) == two63);
	CHECK(number_to_uint(18446744073709549568.0) == UINT64_C(18446744073709549568));
	CHECK(number_to_uint(NAN) == two63);
	CHECK(number_to_uint(-INFINITY) == two63);
}

static void test_is_uint(void)
{
	static const struct {
		const char *text;
		bool is_uint;
	} cases[] = { { "0", true }, { "7", true }, { "10", true }, { "18446744073709551615", true },
		{ "18446744073709551616", false }, { "99999999999999999999999", false }, { "", false },
		{ "00", false }, { "01", false }, { "+1", false }, { "-1", false }, { "1.0", false },
		{ "1e3", false }, { "x", false } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = guard_copy(&guard, slice_of_string(cases[i].text));
		if (number_is_uint(text) != cases[i].is_uint) {
			CHECK_STRING(SLICE("the other answer"), cases[i].text);
		}
	}
}

static void test_format_uint(void)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = { { 0, "0" }, { 9, "9" }, { 10, "10" }, { UINT64_MAX, "18446744073709551615" } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[NUMBER_TEXT_MAX];
		CHECK_STRING(slice_make(text, number_format_uint(cases[i].value, text)), cases[i].text);
	}
}

int main(void)
{
	guard_init(&guard, 4096);
	RUN(test_is_float);
	RUN(test_is_float_of_many_digits);
	RUN(test_format);
	RUN(test_format_plain);
	RUN(test_round_trip);
	RUN(test_parse_int);
	RUN(test_to_uint);
	RUN(test_is_uint);
	RUN(test_format_uint);
	guard_finish(&guard);
	return check_done();
}
