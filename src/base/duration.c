#include "base/duration.h"

#include <stdbool.h>
#include <stddef.h>

static const uint64_t LIMIT_NS = (uint64_t)1 << 63;

static const struct unit {
	struct slice name;
	uint64_t ns;
} units[] = {
	{ { .ptr = "ns", .len = 2 }, 1 },
	{ { .ptr = "us", .len = 2 }, 1000 },
	{ { .ptr = "\xc2\xb5s", .len = 3 }, 1000 }, /* U+00B5, micro sign */
	{ { .ptr = "\xce\xbcs", .len = 3 }, 1000 }, /* U+03BC, Greek mu */
	{ { .ptr = "ms", .len = 2 }, 1000000 },
	{ { .ptr = "s", .len = 1 }, 1000000000 },
	{ { .ptr = "m", .len = 1 }, 60 * 1000000000ull },
	{ { .ptr = "h", .len = 1 }, 3600 * 1000000000ull },
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Takes digits off the front; false when they make more than 2^63. */
static bool take_whole(struct slice *rest, uint64_t *ret_value)
{
	uint64_t value = 0;
	while (rest->len > 0 && is_digit(rest->ptr[0])) {
		if (value > LIMIT_NS / 10) {
			return false;
		}
		value = value * 10 + (uint64_t)(rest->ptr[0] - '0');
		if (value > LIMIT_NS) {
			return false;
		}
		*rest = slice_skip(*rest, 1);
	}
	*ret_value = value;
	return true;
}

/* Takes digits off the front as value / scale; those beyond 2^63 do not count. */
static uint64_t take_fraction(struct slice *rest, double *ret_scale)
{
	uint64_t value = 0;
	double scale = 1;
	bool full = false;
	while (rest->len > 0 && is_digit(rest->ptr[0])) {
		uint64_t digit = (uint64_t)(rest->ptr[0] - '0');
		*rest = slice_skip(*rest, 1);
		full = full || value > (LIMIT_NS - 1) / 10 || value * 10 + digit > LIMIT_NS;
		if (!full) {
			value = value * 10 + digit;
			scale *= 10;
		}
	}
	*ret_scale = scale;
	return value;
}

/* Takes what stands before the next number. */
static struct slice take_unit(struct slice *rest)
{
	size_t len = 0;
	while (len < rest->len && rest->ptr[len] != '.' && !is_digit(rest->ptr[len])) {
		len++;
	}
	struct slice name = slice_first(*rest, len);
	*rest = slice_skip(*rest, len);
	return name;
}

static const struct unit *find_unit(struct slice name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (slice_equal(units[i].name, name)) {
			return &units[i];
		}
	}
	return NULL;
}

/* Takes one number with its unit, such as the "1h" of "1h30m". */
static enum duration_result take_part(struct slice *rest, uint64_t *ret_ns)
{
	size_t before = rest->len;
	uint64_t whole;
	if (!take_whole(rest, &whole)) {
		return DURATION_E_TOO_LONG;
	}
	size_t digits = before - rest->len;
	uint64_t fraction = 0;
	double scale = 1;
	if (rest->len > 0 && rest->ptr[0] == '.') {
		*rest = slice_skip(*rest, 1);
		before = rest->len;
		fraction = take_fraction(rest, &scale);
		digits += before - rest->len;
	}
	if (digits == 0) {
		return DURATION_E_SYNTAX;
	}
	struct slice name = take_unit(rest);
	if (name.len == 0) {
		return DURATION_E_NO_UNIT;
	}
	const struct unit *unit = find_unit(name);
	if (unit == NULL) {
		return DURATION_E_UNIT;
	}
	if (whole > LIMIT_NS / unit->ns) {
		return DURATION_E_TOO_LONG;
	}
	uint64_t ns = whole * unit->ns;
	if (fraction > 0) {
		ns += (uint64_t)((double)fraction * ((double)unit->ns / scale));
	}
	if (ns > LIMIT_NS) {
		return DURATION_E_TOO_LONG;
	}
	*ret_ns = ns;
	return DURATION_OK;
}

enum duration_result duration_parse(struct slice text, int64_t *ret_ns)
{
	bool negative = slice_starts_with(text, SLICE("-"));
	if (negative || slice_starts_with(text, SLICE("+"))) {
		text = slice_skip(text, 1);
	}
	if (slice_equal(text, SLICE("0"))) {
		*ret_ns = 0;
		return DURATION_OK;
	}
	if (text.len == 0) {
		return DURATION_E_SYNTAX;
	}
	uint64_t total = 0;
	while (text.len > 0) {
		uint64_t part;
		enum duration_result result = take_part(&text, &part);
		if (result != DURATION_OK) {
			return result;
		}
		if (part > LIMIT_NS - total) {
			return DURATION_E_TOO_LONG;
		}
		total += part;
	}
	if (total == LIMIT_NS && !negative) {
		return DURATION_E_TOO_LONG;
	}
	*ret_ns = negative ? (int64_t)(0 - total) : (int64_t)total;
	return DURATION_OK;
}

const char *duration_error(enum duration_result result)
{
	switch (result) {
	case DURATION_OK:
		return "fine";
	case DURATION_E_SYNTAX:
		return "not a duration, write it like 90s, 5m or 1h30m";
	case DURATION_E_NO_UNIT:
		return "a duration needs a unit (h, m, s, ms, us, ns), as in 90s or 1h30m";
	case DURATION_E_UNIT:
		return "unknown unit, a duration takes h, m, s, ms, us and ns, as in 90s or 1h30m";
	case DURATION_E_TOO_LONG:
		return "longer than a duration can be (292 years)";
	}
	return "not a duration";
}

/* Writes digits backwards, ending before `end`; returns their start. */
static char *put_number(char *end, uint64_t value)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	return end;
}

/*
 * Writes value / 10^digits backwards without trailing zeroes, dot included
 * when anything stays; *value becomes the whole part.
 */
static char *put_fraction(char *end, uint64_t *value, int digits)
{
	bool started = false;
	for (int i = 0; i < digits; i++) {
		uint64_t digit = *value % 10;
		started = started || digit != 0;
		if (started) {
			*--end = (char)('0' + digit);
		}
		*value /= 10;
	}
	if (started) {
		*--end = '.';
	}
	return end;
}

static char *put_below_second(char *end, uint64_t ns)
{
	*--end = 's';
	if (ns == 0) {
		return put_number(end, 0);
	}
	int digits = 0;
	if (ns < 1000) {
		*--end = 'n';
	} else if (ns < 1000000) {
		digits = 3;
		*--end = '\xb5';
		*--end = '\xc2';
	} else {
		digits = 6;
		*--end = 'm';
	}
	end = put_fraction(end, &ns, digits);
	return put_number(end, ns);
}

static char *put_seconds(char *end, uint64_t ns)
{
	*--end = 's';
	end = put_fraction(end, &ns, 9);
	uint64_t seconds = ns;
	end = put_number(end, seconds % 60);
	uint64_t minutes = seconds / 60;
	if (minutes > 0) {
		*--end = 'm';
		end = put_number(end, minutes % 60);
	}
	if (minutes >= 60) {
		*--end = 'h';
		end = put_number(end, minutes / 60);
	}
	return end;
}

struct slice duration_format(int64_t ns, char text[static DURATION_TEXT_BYTES])
{
	uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	char scratch[DURATION_TEXT_BYTES];
	char *end = scratch + sizeof(scratch);
	char *start =
			magnitude < 1000000000 ? put_below_second(end, magnitude) : put_seconds(end, magnitude);
	if (ns < 0) {
		*--start = '-';
	}
	size_t len = (size_t)(end - start);
	memcpy(text, start, len);
	text[len] = '\0';
	return slice_make(text, len);
}
