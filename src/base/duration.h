#pragma once

/*
 * Durations as Go writes them: "1h30m", "300ms", "1.5s", "-2us", "0"; in
 * nanoseconds. What Go's time.ParseDuration takes is taken, and the text made
 * from a duration is the one Go's Duration.String() makes.
 */

#include <stdint.h>

#include "base/slice.h"

enum duration_result {
	DURATION_OK = 0,
	DURATION_E_SYNTAX,   /* no number where one has to be */
	DURATION_E_NO_UNIT,  /* a number other than 0 without its unit */
	DURATION_E_UNIT,     /* a unit that Go does not know, such as "d" */
	DURATION_E_TOO_LONG, /* more than 292 years */
};

/* Longest text with its NUL: -2562047h47m16.854775808s */
enum { DURATION_TEXT_BYTES = 32 };

enum duration_result duration_parse(struct slice text, int64_t *ret_ns);

/* What is wrong and what would be right, to follow a colon. */
const char *duration_error(enum duration_result result);

/* Writes a NUL-terminated text into `text` and returns it without the NUL. */
struct slice duration_format(int64_t ns, char text[static DURATION_TEXT_BYTES]);
