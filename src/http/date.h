#pragma once

/*
 * The Date line of an answer, made once a second.
 */

#include <stdint.h>

#include "base/slice.h"

enum { HTTP_DATE_LINE_BYTES = 37 };

struct http_date {
	int64_t second;
	char line[HTTP_DATE_LINE_BYTES + 1]; /* empty before the first */
};

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", valid until the next call. */
struct slice http_date_line(struct http_date *date);

/* The same without "Date: " and line end, for any time since 1970 up to the year 9999. */
enum { HTTP_DATE_BYTES = 29 };
void http_date_format(int64_t second, char ret_text[static HTTP_DATE_BYTES + 1]);
