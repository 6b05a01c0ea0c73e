#pragma once

/*
 * Reads the words of one line of OpenMetrics and says what is wrong with it,
 * and what would be right.
 *
 * A line that is read has its line feed, so that `at` may always be looked at.
 * Functions that answer bool answer false when they have set the error.
 */

#include "format/text_reader.h"

/* A place in the body to come back to. */
struct openmetrics_place {
	size_t line; /* 0: none */
	const char *at;
};

/* ---- Errors; always false. `place` is where the caret points; hint NULL: none. ---- */

bool openmetrics_fail(struct text_reader *r, const char *place, const char *what, const char *hint);
bool openmetrics_fail_with(
		struct text_reader *r, const char *place, struct slice what, struct slice hint);

/* what "quoted" */
bool openmetrics_fail_quoting(struct text_reader *r, const char *place, const char *what,
		struct slice quoted, const char *hint);

/* what 'x', the byte at the place; or "what the end of the line" */
bool openmetrics_fail_byte(
		struct text_reader *r, const char *place, const char *what, const char *hint);

/* On another line than the one being read. */
bool openmetrics_fail_elsewhere(struct text_reader *r, struct slice body,
		struct openmetrics_place place, struct slice what, struct slice hint);

/* A name for a message: unescaped, in quotes, printable, cut to what one can read. */
struct slice openmetrics_quote(struct arena *arena, struct slice escaped);

/* ---- Words ---- */

/* Empty when none starts here. Metric names may have colons. */
struct slice openmetrics_read_name(struct text_reader *r, bool colons);

/*
 * What is between quotes, escaped as a batch has it; `at` is on the opening
 * quote before and behind the closing one after. *ret_is_verbatim: it lies in
 * the body as it is.
 */
bool openmetrics_read_quoted(
		struct text_reader *r, struct slice *ret_escaped, bool *ret_is_verbatim);

/* Up to the next blank or the end of the line. */
struct slice openmetrics_read_word(struct text_reader *r);

/* Goes past exactly one blank. */
bool openmetrics_read_blank(struct text_reader *r, const char *what);
