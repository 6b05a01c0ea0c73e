#include "format/openmetrics_number.h"

#include <stdint.h>

#include "base/number.h"

/*
 *     0012.340e5
 *       ^^^^^ digits, from the first to the last that is not 0
 *       ^ this one stands for 10^first: first = 6
 *           ^ and this one for 10^last: last = 3
 */
struct decimal {
	bool is_negative;
	struct slice digits; /* a '.' may be among them; empty: the number is 0 */
	int64_t first;
	int64_t last;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_sign(char c)
{
	return c == '-' || c == '+';
}

bool openmetrics_is_real(struct slice text)
{
	size_t start = text.len > 0 && is_sign(text.ptr[0]) ? 1 : 0;
	return text.len > start && (is_digit(text.ptr[start]) || text.ptr[start] == '.')
			&& number_is_float(text);
}

/* What is beyond this is beyond any digits in front of it. */
static int64_t read_exponent(struct slice text)
{
	const int64_t most = INT64_C(1) << 40;
	int64_t value = 0;
	for (size_t i = is_sign(text.ptr[0]) ? 1 : 0; i < text.len && value < most; i++) {
		value = value * 10 + (text.ptr[i] - '0');
	}
	return text.ptr[0] == '-' ? -value : value;
}

static bool is_trimmed(char c)
{
	return c == '0' || c == '.';
}

/* The power of ten of the digit at that index. */
static int64_t power_at(size_t index, size_t dot)
{
	return (int64_t)dot - (int64_t)index - (index < dot ? 1 : 0);
}

static struct decimal read_decimal(struct slice text)
{
	struct decimal decimal = { .is_negative = text.ptr[0] == '-' };
	struct slice rest = is_sign(text.ptr[0]) ? slice_skip(text, 1) : text;
	size_t len = 0;
	size_t dot = SIZE_MAX;
	while (len < rest.len && (is_digit(rest.ptr[len]) || rest.ptr[len] == '.')) {
		dot = rest.ptr[len] == '.' ? len : dot;
		len++;
	}
	dot = dot == SIZE_MAX ? len : dot;
	int64_t exponent = len < rest.len ? read_exponent(slice_skip(rest, len + 1)) : 0;
	size_t start = 0;
	while (start < len && is_trimmed(rest.ptr[start])) {
		start++;
	}
	while (len > start && is_trimmed(rest.ptr[len - 1])) {
		len--;
	}
	if (len > start) {
		decimal.digits = slice_make(rest.ptr + start, len - start);
		decimal.first = power_at(start, dot) + exponent;
		decimal.last = power_at(len - 1, dot) + exponent;
	}
	return decimal;
}

bool openmetrics_is_whole(struct slice text)
{
	if (number_is_uint(text)) {
		return true;
	}
	return openmetrics_is_real(text) && read_decimal(text).last >= 0;
}

/* Both start at the same power of ten. */
static int compare_digits(struct slice a, struct slice b)
{
	size_t i = 0;
	size_t j = 0;
	while (i < a.len && j < b.len) {
		if (a.ptr[i] == '.' || b.ptr[j] == '.') {
			i += a.ptr[i] == '.';
			j += b.ptr[j] == '.';
		} else if (a.ptr[i] != b.ptr[j]) {
			return a.ptr[i] < b.ptr[j] ? -1 : 1;
		} else {
			i++;
			j++;
		}
	}
	return (i < a.len) - (j < b.len);
}

int openmetrics_compare(struct slice a, struct slice b)
{
	if (slice_equal(a, b)) {
		return 0;
	}
	struct decimal x = read_decimal(a);
	struct decimal y = read_decimal(b);
	int sign_x = x.digits.len == 0 ? 0 : x.is_negative ? -1 : 1;
	int sign_y = y.digits.len == 0 ? 0 : y.is_negative ? -1 : 1;
	if (sign_x != sign_y || sign_x == 0) {
		return (sign_x > sign_y) - (sign_x < sign_y);
	}
	int order = (x.first > y.first) - (x.first < y.first);
	return sign_x * (order != 0 ? order : compare_digits(x.digits, y.digits));
}

static size_t count_digits(struct slice text)
{
	size_t count = 0;
	while (count < text.len && is_digit(text.ptr[count])) {
		count++;
	}
	return count;
}

/*
 * Whether the text is surely in its shortest form: digits enough to be a
 * bound, few enough to be written without an exponent.
 */
static bool is_short(struct slice text)
{
	enum { WHOLE_MAX = 6, FRACTION_MAX = 9 };
	size_t whole = count_digits(text);
	if (whole == 0 || whole > WHOLE_MAX || (whole > 1 && text.ptr[0] == '0')) {
		return false;
	}
	if (whole == text.len) {
		return true;
	}
	struct slice fraction = slice_skip(text, whole + 1);
	bool is_plain = text.ptr[whole] == '.' && fraction.len > 0 && fraction.len <= FRACTION_MAX
			&& count_digits(fraction) == fraction.len && fraction.ptr[fraction.len - 1] != '0';
	return is_plain && !(text.ptr[0] == '0' && slice_starts_with(fraction, SLICE("0000")));
}

struct slice openmetrics_shorten(struct arena *arena, struct slice number)
{
	struct slice text = number;
	if (slice_ends_with(text, SLICE(".0"))) {
		text.len -= 2;
	}
	if (is_short(text)) {
		return text;
	}
	char shortest[NUMBER_TEXT_MAX];
	double value = number_value(number);
	size_t len = number_format(value == 0 ? 0 : value, shortest); /* -0 is 0 */
	struct slice formatted = slice_make(shortest, len);
	return slice_equal(formatted, number) ? number : arena_copy(arena, formatted);
}
