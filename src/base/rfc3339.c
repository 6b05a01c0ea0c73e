#include "base/rfc3339.h"

enum {
	SECOND_NS = 1000000000,
	DAY_SECONDS = 24 * 60 * 60,
	ZONE_HOURS_MAX = 24, /* as in Go */
};

/* Takes that many digits from the front. */
static bool take_number(struct slice *rest, size_t digits, int *ret_number)
{
	int number = 0;
	if (rest->len < digits) {
		return false;
	}
	for (size_t i = 0; i < digits; i++) {
		char c = rest->ptr[i];
		if (c < '0' || c > '9') {
			return false;
		}
		number = number * 10 + (c - '0');
	}
	*rest = slice_skip(*rest, digits);
	*ret_number = number;
	return true;
}

static bool take_char(struct slice *rest, char c)
{
	if (rest->len == 0 || rest->ptr[0] != c) {
		return false;
	}
	*rest = slice_skip(*rest, 1);
	return true;
}

/* .637187111, or nothing. */
static bool take_decimals(struct slice *rest, int32_t *ret_ns)
{
	int32_t ns = 0;
	int32_t unit = SECOND_NS;
	if (take_char(rest, '.')) {
		while (rest->len > 0 && rest->ptr[0] >= '0' && rest->ptr[0] <= '9') {
			unit /= 10;
			ns += (rest->ptr[0] - '0') * unit;
			*rest = slice_skip(*rest, 1);
		}
		if (unit == SECOND_NS) {
			return false;
		}
	}
	*ret_ns = ns;
	return true;
}

/* Z, +01:00 or -05:30 in seconds. */
static bool take_zone(struct slice *rest, int *ret_seconds)
{
	int hours;
	int minutes;
	if (take_char(rest, 'Z')) {
		*ret_seconds = 0;
		return true;
	}
	bool is_west = take_char(rest, '-');
	if ((!is_west && !take_char(rest, '+')) || !take_number(rest, 2, &hours)
			|| !take_char(rest, ':') || !take_number(rest, 2, &minutes) || hours > ZONE_HOURS_MAX
			|| minutes > 59) {
		return false;
	}
	*ret_seconds = (hours * 60 + minutes) * (is_west ? -60 : 60);
	return true;
}

static int days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && is_leap);
}

/*
 * Days since 1970-01-01; years begin in March here, so that the leap day is their
 * last, and at 400 before the year 0, so that nothing is rounded the wrong way.
 */
static int64_t days_of_date(int year, int month, int day)
{
	enum { CYCLE_YEARS = 400, CYCLE_DAYS = 146097, DAYS_TO_1970 = 719468 + CYCLE_DAYS };
	int shifted = month > 2 ? month - 3 : month + 9;
	int64_t years = (month > 2 ? year : year - 1) + CYCLE_YEARS;
	int64_t leaps = years / 4 - years / 100 + years / 400;
	return years * 365 + leaps + (153 * shifted + 2) / 5 + day - 1 - DAYS_TO_1970;
}

static bool take_date(struct slice *rest, int64_t *ret_days)
{
	int year;
	int month;
	int day;
	if (!take_number(rest, 4, &year) || !take_char(rest, '-') || !take_number(rest, 2, &month)
			|| !take_char(rest, '-') || !take_number(rest, 2, &day) || month < 1 || month > 12
			|| day < 1 || day > days_of_month(year, month)) {
		return false;
	}
	*ret_days = days_of_date(year, month, day);
	return true;
}

static bool take_clock(struct slice *rest, int *ret_seconds)
{
	int hour;
	int minute;
	int second;
	if (!take_number(rest, 2, &hour) || !take_char(rest, ':') || !take_number(rest, 2, &minute)
			|| !take_char(rest, ':') || !take_number(rest, 2, &second) || hour > 23 || minute > 59
			|| second > 59) {
		return false;
	}
	*ret_seconds = (hour * 60 + minute) * 60 + second;
	return true;
}

bool rfc3339_parse(struct slice text, int64_t *ret_seconds, int32_t *ret_ns)
{
	int64_t days;
	int seconds;
	int32_t ns;
	int zone;
	if (!take_date(&text, &days) || !take_char(&text, 'T') || !take_clock(&text, &seconds)
			|| !take_decimals(&text, &ns) || !take_zone(&text, &zone) || text.len > 0) {
		return false;
	}
	*ret_seconds = days * DAY_SECONDS + seconds - zone;
	*ret_ns = ns;
	return true;
}
