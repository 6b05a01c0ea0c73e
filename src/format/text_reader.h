#pragma once

/*
 * Reads the words of one line of the text format, and says what is wrong with
 * it in the words of expfmt's TextParser.
 *
 * No word spans two lines. Within one, `at` runs towards `eol`, which is the
 * line feed or, in a last line without one, the end of the body. Running into
 * the latter is its own error, wherever in the line that happens.
 *
 * Functions that answer bool answer false when they have set the error.
 */

#include "format/format.h"

struct text_reader {
	const char *at;
	const char *eol;
	const char *end;
	const char *line_start;
	size_t line; /* from 1 */
	struct arena *arena;
	struct arena *fault_arena; /* of what is said about a fault */
	enum format_result result;
	struct format_error *error;
};

/* ---- Errors; always false. `place` is where the caret points. ---- */

bool text_fail(struct text_reader *r, const char *place, const char *what);
bool text_fail_at(struct text_reader *r, const char *place, struct slice what);

/* what "quoted" */
bool text_fail_quoting(
		struct text_reader *r, const char *place, const char *what, struct slice quoted);

/* Likewise, of a name or value that is still escaped. */
bool text_fail_quoting_escaped(
		struct text_reader *r, const char *place, const char *what, struct slice escaped);

/* what 'x', the byte at the place */
bool text_fail_quoting_byte(struct text_reader *r, const char *place, const char *what);

/* The place is behind the backslash. */
bool text_fail_escape(struct text_reader *r, const char *place);
bool text_fail_limit(struct text_reader *r, const char *place, enum format_limit limit);

/* ---- Words ---- */

/* Whether there is a byte at `at`; the line feed counts. */
bool text_has_byte(struct text_reader *r);
bool text_skip_blanks(struct text_reader *r);
bool text_skip_line(struct text_reader *r);
bool text_read_until_blank(struct text_reader *r, struct slice *ret_token);

/*
 * Empty when none starts here. Metric names may have colons. Any may be quoted:
 * then it may be any text, and is still escaped.
 */
bool text_read_name(struct text_reader *r, bool colons, struct slice *ret_name);

/*
 * A label value, still escaped; `at` is behind the opening quote before and
 * behind the closing one after.
 */
bool text_read_label_value(struct text_reader *r, struct slice *ret_value);

/* The rest of the line; backslashes vanish, as they do upstream. */
struct slice text_rest_of_line(struct text_reader *r);

bool text_is_blank(char c);
