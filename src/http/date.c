#include "http/date.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

void http_date_format(int64_t second, char ret_text[static HTTP_DATE_BYTES + 1])
{
	time_t time = (time_t)second;
	struct tm tm;
	gmtime_r(&time, &tm);
	/* Not strftime(3), which speaks the language of the locale. */
	char text[96];
	snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
			tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(ret_text, text, HTTP_DATE_BYTES);
	ret_text[HTTP_DATE_BYTES] = '\0';
}

struct slice http_date_line(struct http_date *date)
{
	int64_t second = clock_wall_ns() / 1000000000;
	if (date->line[0] == '\0' || date->second != second) {
		char text[HTTP_DATE_BYTES + 1];
		http_date_format(second, text);
		snprintf(date->line, sizeof(date->line), "Date: %s\r\n", text);
		date->second = second;
	}
	return slice_make(date->line, HTTP_DATE_LINE_BYTES);
}
