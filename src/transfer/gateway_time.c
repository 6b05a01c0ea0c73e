#include "transfer/gateway_time.h"

#include <math.h>

enum {
	SECOND_NS = 1000000000,
	DAY_SECONDS = 24 * 60 * 60,
	YEAR_MIN = 1970,
	YEAR_MAX = 2261, /* the last whole one in int64 */
	GAUGE_ERROR_NS = 1000,
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
static bool take_decimals(struct slice *rest, int64_t *ret_ns)
{
	int64_t ns = 0;
	int64_t unit = SECOND_NS;
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
			|| !take_char(rest, ':') || !take_number(rest, 2, &minutes)) {
		return false;
	}
	*ret_seconds = (hours * 60 + minutes) * (is_west ? -60 : 60);
	return true;
}

/* Days since 1970-01-01; years begin in March here, so that the leap day is their last. */
static int64_t days_of_date(int year, int month, int day)
{
	enum { DAYS_TO_1970 = 719468 };
	int shifted = month > 2 ? month - 3 : month + 9;
	int64_t years = month > 2 ? year : year - 1;
	int64_t leaps = years / 4 - years / 100 + years / 400;
	return years * 365 + leaps + (153 * shifted + 2) / 5 + day - 1 - DAYS_TO_1970;
}

static bool take_date(struct slice *rest, int64_t *ret_days)
{
	int year;
	int month;
	int day;
	if (!take_number(rest, 4, &year) || !take_char(rest, '-') || !take_number(rest, 2, &month)
			|| !take_char(rest, '-') || !take_number(rest, 2, &day) || year < YEAR_MIN
			|| year > YEAR_MAX || month < 1 || month > 12 || day < 1 || day > 31) {
		return false;
	}
	*ret_days = days_of_date(year, month, day);
	return true;
}

bool gateway_time_parse(struct slice text, int64_t *ret_ns)
{
	int64_t days;
	int hour;
	int minute;
	int second;
	int64_t ns;
	int zone;
	if (!take_date(&text, &days) || !take_char(&text, 'T') || !take_number(&text, 2, &hour)
			|| !take_char(&text, ':') || !take_number(&text, 2, &minute) || !take_char(&text, ':')
			|| !take_number(&text, 2, &second) || !take_decimals(&text, &ns)
			|| !take_zone(&text, &zone) || text.len > 0) {
		return false;
	}
	int64_t seconds = days * DAY_SECONDS + (hour * 60 + minute) * 60 + second - zone;
	*ret_ns = seconds * SECOND_NS + ns;
	return seconds >= 0;
}

int64_t gateway_time_of_gauge(double seconds, struct slice stamp)
{
	int64_t stamp_ns;
	double ns = seconds * SECOND_NS;
	if (!(ns >= 1 && ns < 0x1p63)) {
		return 0;
	}
	if (gateway_time_parse(stamp, &stamp_ns) && fabs((double)stamp_ns - ns) <= GAUGE_ERROR_NS) {
		return stamp_ns;
	}
	return (int64_t)ns;
}
