#include "targets/storage_time.h"

#include <stdio.h>
#include <time.h>

enum { NS_PER_US = 1000, NS_PER_S = 1000000000 };

struct slice storage_time_write(int64_t ns, char text[static STORAGE_TIME_BYTES])
{
	int64_t seconds = ns / NS_PER_S - (ns % NS_PER_S < 0);
	int us = (int)((ns - seconds * NS_PER_S) / NS_PER_US);
	time_t whole = (time_t)seconds;
	struct tm utc;
	gmtime_r(&whole, &utc);
	size_t len = strftime(text, STORAGE_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &utc);
	len += (size_t)snprintf(text + len, STORAGE_TIME_BYTES - len, ".%06dZ", us);
	return slice_make(text, len);
}

/* So many digits at the front, which are taken off. */
static bool take_number(struct slice *text, size_t digits, int *ret_number)
{
	int number = 0;
	if (text->len < digits) {
		return false;
	}
	for (size_t i = 0; i < digits; i++) {
		if (text->ptr[i] < '0' || text->ptr[i] > '9') {
			return false;
		}
		number = number * 10 + (text->ptr[i] - '0');
	}
	*text = slice_skip(*text, digits);
	*ret_number = number;
	return true;
}

static bool take_byte(struct slice *text, char byte)
{
	if (text->len == 0 || text->ptr[0] != byte) {
		return false;
	}
	*text = slice_skip(*text, 1);
	return true;
}

static bool take_date(struct slice *text, struct tm *utc)
{
	if (!take_number(text, 4, &utc->tm_year) || !take_byte(text, '-')
			|| !take_number(text, 2, &utc->tm_mon) || !take_byte(text, '-')
			|| !take_number(text, 2, &utc->tm_mday)) {
		return false;
	}
	utc->tm_year -= 1900;
	utc->tm_mon -= 1;
	return utc->tm_mon >= 0 && utc->tm_mon < 12 && utc->tm_mday >= 1 && utc->tm_mday <= 31;
}

static bool take_clock(struct slice *text, struct tm *utc)
{
	return take_number(text, 2, &utc->tm_hour) && take_byte(text, ':')
			&& take_number(text, 2, &utc->tm_min) && take_byte(text, ':')
			&& take_number(text, 2, &utc->tm_sec) && utc->tm_hour <= 24 && utc->tm_min <= 59
			&& utc->tm_sec <= 60;
}

/* What is finer than a nanosecond is left out. */
static bool take_fraction(struct slice *text, int64_t *ret_ns)
{
	int64_t unit = NS_PER_S;
	int digit;
	*ret_ns = 0;
	if (!take_byte(text, '.')) {
		return true;
	}
	if (!take_number(text, 1, &digit)) {
		return false;
	}
	do {
		unit /= 10;
		*ret_ns += digit * unit;
	} while (take_number(text, 1, &digit));
	return true;
}

static bool take_offset(struct slice *text, int64_t *ret_seconds)
{
	int hours;
	int minutes = 0;
	*ret_seconds = 0;
	if (text->len == 0 || take_byte(text, 'Z')) {
		return true;
	}
	int sign = take_byte(text, '+') ? 1 : take_byte(text, '-') ? -1 : 0;
	if (sign == 0 || !take_number(text, 2, &hours)) {
		return false;
	}
	if (text->len > 0) {
		take_byte(text, ':');
		if (!take_number(text, 2, &minutes)) {
			return false;
		}
	}
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool storage_time_read(struct slice text, int64_t *ret_ns)
{
	struct tm utc = { 0 };
	int64_t fraction_ns;
	int64_t offset;
	int64_t ns;
	if (!take_date(&text, &utc) || (!take_byte(&text, ' ') && !take_byte(&text, 'T'))
			|| !take_clock(&text, &utc) || !take_fraction(&text, &fraction_ns)
			|| !take_offset(&text, &offset) || text.len > 0) {
		return false;
	}
	int64_t seconds = (int64_t)timegm(&utc) - offset;
	if (__builtin_mul_overflow(seconds, (int64_t)NS_PER_S, &ns)
			|| __builtin_add_overflow(ns, fraction_ns, &ns)) {
		return false;
	}
	*ret_ns = ns;
	return true;
}
