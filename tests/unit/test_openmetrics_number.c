/*
 * Decimal numbers of any length: compared exactly, bounds in their shortest
 * form.
 */

#include "base/buf.h"
#include "base/number.h"
#include "check.h"
#include "format/openmetrics_number.h"
#include "guard.h"
#include "unit/random.h"

static struct guard guard;
static struct arena arena;

static void test_real(void)
{
	static const struct {
		const char *text;
		bool is_real;
		bool is_whole;
	} cases[] = {
		{ "0", true, true },
		{ "-0", true, true },
		{ "+5", true, true },
		{ "007", true, true },
		{ "3.0", true, true },
		{ "3.", true, true },
		{ ".0", true, true },
		{ "30e-1", true, true },
		{ "1.5e1", true, true },
		{ "1.25e1", true, false },
		{ "0.5", true, false },
		{ ".5", true, false },
		{ "5e-1", true, false },
		{ "1e-400", true, false },
		{ "0e-400", true, true },
		{ "1E+3", true, true },
		{ "10000000000000000000000.5", true, false },
		{ "1e400", false, false },
		{ "", false, false },
		{ "-", false, false },
		{ ".", false, false },
		{ "e5", false, false },
		{ "NaN", false, false },
		{ "+Inf", false, false },
		{ "inf", false, false },
		{ "-infinity", false, false },
		{ "1_0", false, false },
		{ "0x1", false, false },
		{ " 1", false, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = guard_copy(&guard, slice_of_string(cases[i].text));
		CHECK_INT(openmetrics_is_real(text), cases[i].is_real);
		CHECK_INT(openmetrics_is_whole(text), cases[i].is_whole);
	}
}

/* From the least to the greatest; what is in one row is the same number. */
static void test_order(void)
{
	enum { COLUMNS = 4 };
	static const char *const rows[][COLUMNS] = {
		{ "-1e300" },
		{ "-10", "-1e1", "-0010.00", "-100e-1" },
		{ "-9.99" },
		{ "-1" },
		{ "-1e-400" },
		{ "0", "-0", "+0.00", "0e5" },
		{ "0.1e-99999999999999999999999" },
		{ "1e-99999999999999999999999" },
		{ "1e-400", ".1e-399" },
		{ "0.0000000001" },
		{ "0.000000000101" },
		{ "0.1", ".1", "1e-1", "0.100" },
		{ "0.11" },
		{ "1", "1.0", "1.", "0.01e2" },
		{ "9" },
		{ "10", "1e1", "10.000", "1.0E+01" },
		{ "1520879607.000000001" },
		{ "1520879607.000000002", "1520879607000000002e-9" },
		{ "9007199254740992" },
		{ "9007199254740993", "9007199254740993.0" },
		{ "9007199254740993.5" },
		{ "12345678901234567890123" },
		{ "1e300" },
	};
	size_t count = sizeof(rows) / sizeof(rows[0]);
	for (size_t i = 0; i < count * COLUMNS; i++) {
		for (size_t j = 0; j < count * COLUMNS; j++) {
			const char *left = rows[i / COLUMNS][i % COLUMNS];
			const char *right = rows[j / COLUMNS][j % COLUMNS];
			if (left == NULL || right == NULL) {
				continue;
			}
			int wanted = (i / COLUMNS > j / COLUMNS) - (i / COLUMNS < j / COLUMNS);
			int order = openmetrics_compare(slice_of_string(left), slice_of_string(right));
			int failures = check_failures;
			CHECK_INT((order > 0) - (order < 0), wanted);
			if (failures != check_failures) {
				fprintf(stderr, "%s and %s\n", left, right);
			}
		}
	}
}

static void check_shortest(struct slice text)
{
	char shortest[NUMBER_TEXT_MAX];
	double value = number_value(text);
	size_t len = number_format(value == 0 ? 0 : value, shortest);
	CHECK_SLICE(openmetrics_shorten(&arena, text), slice_make(shortest, len));
}

/* As number_format() writes it, on whatever way. */
static void test_shortest(void)
{
	static const char *const texts[] = { "0", "-0", "0.0", "00", "01", "1.0", "1.00", "10.0",
		"999999", "999999.0", "1000000", "1000000.0", "123456.5", "0.001", "0.0001", "0.00001",
		"0.000123456", "0.0001234567", "0.1234567890", "0.123456789", "+1", "-1.0", "1e3", "+Inf",
		"-Inf", "-inf", "5.", ".5", "1.0.", "2.5", "2.50" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct slice text = slice_of_string(texts[i]);
		if (number_is_float(text)) {
			check_shortest(guard_copy(&guard, text));
		}
	}
	struct random_source random;
	random_init(&random);
	for (int i = 0; i < 20000; i++) {
		struct buf text;
		buf_init(&text, 0);
		unsigned whole = random_once_in(&random, 3) ? 0 : random_below(&random, 20000000);
		buf_printf(&text, "%u.%0*u", whole, 1 + (int)random_below(&random, 10),
				random_below(&random, 1000000000));
		check_shortest(guard_copy(&guard, buf_slice(&text)));
		buf_finish(&text);
		arena_reset(&arena);
	}
}

int main(void)
{
	guard_init(&guard, 4096);
	arena_init(&arena);
	RUN(test_real);
	RUN(test_order);
	RUN(test_shortest);
	arena_finish(&arena);
	guard_finish(&guard);
	return check_done();
}
