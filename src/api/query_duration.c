#include "api/query_duration.h"

#include <math.h>

#include "base/number.h"

static const int64_t second_ns = 1000000000;

static const struct {
	struct slice name;
	int64_t ns;
} units[] = {
	{ SLICE_INIT("y"), INT64_C(365) * 24 * 3600 * 1000000000 },
	{ SLICE_INIT("w"), INT64_C(7) * 24 * 3600 * 1000000000 },
	{ SLICE_INIT("d"), INT64_C(24) * 3600 * 1000000000 },
	{ SLICE_INIT("h"), INT64_C(3600) * 1000000000 },
	{ SLICE_INIT("m"), INT64_C(60) * 1000000000 },
	{ SLICE_INIT("s"), INT64_C(1000000000) },
	{ SLICE_INIT("ms"), INT64_C(1000000) },
};

enum { UNIT_COUNT = sizeof(units) / sizeof(units[0]) };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t count(struct slice text, bool digits)
{
	size_t len = 0;
	while (len < text.len && is_digit(text.ptr[len]) == digits) {
		len++;
	}
	return len;
}

/* 30m off the front: a unit behind the one before. */
static bool take_part(struct slice *text, size_t *unit, int64_t *ret_ns)
{
	struct slice digits = slice_first(*text, count(*text, true));
	struct slice rest = slice_skip(*text, digits.len);
	struct slice name = slice_first(rest, count(rest, false));
	int64_t number;
	while (*unit < UNIT_COUNT && !slice_equal(name, units[*unit].name)) {
		(*unit)++;
	}
	if (*unit == UNIT_COUNT || !number_parse_int(digits, &number)
			|| __builtin_mul_overflow(number, units[*unit].ns, ret_ns)) {
		return false;
	}
	(*unit)++;
	*text = slice_skip(rest, name.len);
	return true;
}

static bool parse_units(struct slice text, int64_t *ret_ns)
{
	size_t unit = 0;
	int64_t sum = 0;
	while (text.len > 0) {
		int64_t ns;
		if (!take_part(&text, &unit, &ns) || __builtin_add_overflow(sum, ns, &sum)) {
			return false;
		}
	}
	*ret_ns = sum;
	return true;
}

bool query_duration_parse(struct slice text, int64_t *ret_ns)
{
	if (!number_is_float(text)) {
		return text.len > 0 && parse_units(text, ret_ns);
	}
	double ns = number_value(text) * (double)second_ns;
	if (!(fabs(ns) < 0x1p63)) {
		return false;
	}
	*ret_ns = (int64_t)ns;
	return true;
}
