#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	STACK_TEXT_MAX = 128,
	SAFE_DIGITS = 200, /* fewer, with an exponent of two digits, cannot overflow */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct slice skip_sign(struct slice text)
{
	bool has_sign = text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-');
	return has_sign ? slice_skip(text, 1) : text;
}

static bool is_special(struct slice text)
{
	if (slice_equal_nocase(text, SLICE("nan"))) {
		return true;
	}
	struct slice bare = skip_sign(text);
	return slice_equal_nocase(bare, SLICE("inf")) || slice_equal_nocase(bare, SLICE("infinity"));
}

static size_t count_digits(struct slice text)
{
	size_t count = 0;
	while (count < text.len && is_digit(text.ptr[count])) {
		count++;
	}
	return count;
}

bool number_is_float(struct slice text)
{
	struct slice rest = skip_sign(text);
	size_t digits = count_digits(rest);
	rest = slice_skip(rest, digits);
	if (rest.len == 0 && digits > 0 && digits < SAFE_DIGITS) {
		return true;
	}
	if (rest.len > 0 && rest.ptr[0] == '.') {
		rest = slice_skip(rest, 1);
		size_t fraction = count_digits(rest);
		digits += fraction;
		rest = slice_skip(rest, fraction);
	}
	if (digits == 0) {
		return is_special(text);
	}
	bool may_overflow = digits >= SAFE_DIGITS;
	if (rest.len > 0 && (rest.ptr[0] == 'e' || rest.ptr[0] == 'E')) {
		rest = skip_sign(slice_skip(rest, 1));
		size_t exponent = count_digits(rest);
		if (exponent == 0) {
			return false;
		}
		may_overflow = may_overflow || exponent > 2;
		rest = slice_skip(rest, exponent);
	}
	return rest.len == 0 && !(may_overflow && isinf(number_value(text)));
}

double number_value(struct slice text)
{
	char stack[STACK_TEXT_MAX];
	char *copy = text.len < sizeof(stack) ? stack : strndup(text.ptr, text.len);
	if (copy == NULL) {
		abort();
	}
	if (copy == stack) {
		memcpy(stack, text.ptr, text.len);
		stack[text.len] = '\0';
	}
	double value = strtod(copy, NULL);
	if (copy != stack) {
		free(copy);
	}
	return value;
}

bool number_parse_int(struct slice text, int64_t *ret_value)
{
	bool negative = text.len > 0 && text.ptr[0] == '-';
	struct slice digits = skip_sign(text);
	if (digits.len == 0 || count_digits(digits) != digits.len) {
		return false;
	}
	int64_t value = 0;
	for (size_t i = 0; i < digits.len; i++) {
		int64_t digit = digits.ptr[i] - '0';
		if (__builtin_mul_overflow(value, 10, &value)
				|| __builtin_sub_overflow(value, digit, &value)) {
			return false;
		}
	}
	if (!negative && value == INT64_MIN) {
		return false;
	}
	*ret_value = negative ? value : -value;
	return true;
}

static bool is_power_of_two(double value)
{
	int exponent;
	return frexp(value, &exponent) == 0.5;
}

/* Shortest digits that read back as the same double: at most 17. */
static int shortest_exponent_form(double value, char *ret_text, size_t bytes)
{
	int len = 0;
	/* Up to 15 digits always read back, but for numbers too small for all their bits. */
	for (int digits = fpclassify(value) == FP_SUBNORMAL ? 1 : 15; digits <= 17; digits++) {
		len = snprintf(ret_text, bytes, "%.*e", digits - 1, value);
		if (strtod(ret_text, NULL) == value) {
			break;
		}
		if (!is_power_of_two(value)) {
			continue;
		}
		/* Numbers above lie further apart than below: the next digit up may do, too. */
		long double above = (long double)value * (1 + 0x1p-54L);
		len = snprintf(ret_text, bytes, "%.*Le", digits - 1, above);
		if (strtod(ret_text, NULL) == value) {
			break;
		}
	}
	return len;
}

/* "d.ddde+XX" without trailing zeros of the mantissa; returns its digits. */
static size_t split_digits(const char *text, char *ret_digits, int *ret_exponent)
{
	size_t count = 0;
	const char *c = text;
	for (; *c != 'e'; c++) {
		if (is_digit(*c)) {
			ret_digits[count++] = *c;
		}
	}
	while (count > 1 && ret_digits[count - 1] == '0') {
		count--;
	}
	*ret_exponent = atoi(c + 1);
	return count;
}

static size_t put_plain(char *out, const char *digits, size_t count, int exponent)
{
	char *o = out;
	if (exponent < 0) {
		*o++ = '0';
		*o++ = '.';
		for (int i = -1; i > exponent; i--) {
			*o++ = '0';
		}
		memcpy(o, digits, count);
		return (size_t)(o + count - out);
	}
	for (size_t i = 0; i < count || i <= (size_t)exponent; i++) {
		if (i == (size_t)exponent + 1) {
			*o++ = '.';
		}
		*o++ = i < count ? digits[i] : '0';
	}
	return (size_t)(o - out);
}

static size_t put_exponent(char *out, const char *digits, size_t count, int exponent)
{
	char *o = out;
	*o++ = digits[0];
	if (count > 1) {
		*o++ = '.';
		memcpy(o, digits + 1, count - 1);
		o += count - 1;
	}
	char tail[16];
	int len = snprintf(tail, sizeof(tail), "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
	memcpy(o, tail, (size_t)len);
	return (size_t)(o - out) + (size_t)len;
}

/* The shortest form, plain for exponents between these two, both included. */
static size_t format_between(double value, int lowest, int highest, char *ret_text)
{
	if (isnan(value)) {
		memcpy(ret_text, "NaN", 3);
		return 3;
	}
	if (isinf(value)) {
		memcpy(ret_text, value > 0 ? "+Inf" : "-Inf", 4);
		return 4;
	}
	char *out = ret_text;
	if (signbit(value)) {
		*out++ = '-';
		value = -value;
	}
	char text[64];
	char digits[32];
	int exponent;
	shortest_exponent_form(value, text, sizeof(text));
	size_t count = split_digits(text, digits, &exponent);
	bool plain = exponent >= lowest && exponent <= highest;
	size_t len = plain ? put_plain(out, digits, count, exponent)
					   : put_exponent(out, digits, count, exponent);
	return (size_t)(out - ret_text) + len;
}

size_t number_format(double value, char ret_text[static NUMBER_TEXT_MAX])
{
	return format_between(value, -4, 5, ret_text);
}

size_t number_format_plain(double value, char ret_text[static NUMBER_TEXT_MAX])
{
	return format_between(value, -6, 20, ret_text);
}

size_t number_format_uint(uint64_t value, char ret_text[static NUMBER_TEXT_MAX])
{
	char reversed[NUMBER_TEXT_MAX];
	size_t len = 0;
	do {
		reversed[len++] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	for (size_t i = 0; i < len; i++) {
		ret_text[i] = reversed[len - 1 - i];
	}
	return len;
}

bool number_is_uint(struct slice text)
{
	uint64_t value = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.ptr[i]) || __builtin_mul_overflow(value, 10, &value)
				|| __builtin_add_overflow(value, (uint64_t)(text.ptr[i] - '0'), &value)) {
			return false;
		}
	}
	return text.len == 1 || (text.len > 1 && text.ptr[0] != '0');
}

uint64_t number_to_uint(double value)
{
	const double two63 = 9223372036854775808.0;
	if (value >= two63 && value < 2 * two63) {
		return (uint64_t)(value - two63) + (UINT64_C(1) << 63);
	}
	if (value > -two63 && value < two63) {
		return (uint64_t)(int64_t)value;
	}
	return UINT64_C(1) << 63;
}
