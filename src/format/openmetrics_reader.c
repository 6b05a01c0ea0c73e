#include "format/openmetrics_reader.h"

#include "base/buf.h"
#include "base/quote.h"
#include "base/utf8.h"

/* ---- Errors ---- */

bool openmetrics_fail_with(
		struct text_reader *r, const char *place, struct slice what, struct slice hint)
{
	text_fail_at(r, place, what);
	r->error->hint = hint;
	return false;
}

static struct slice slice_of_hint(const char *hint)
{
	return hint == NULL ? slice_make(NULL, 0) : slice_of_string(hint);
}

bool openmetrics_fail(struct text_reader *r, const char *place, const char *what, const char *hint)
{
	return openmetrics_fail_with(r, place, slice_of_string(what), slice_of_hint(hint));
}

bool openmetrics_fail_quoting(struct text_reader *r, const char *place, const char *what,
		struct slice quoted, const char *hint)
{
	text_fail_quoting(r, place, what, quoted);
	r->error->hint = slice_of_hint(hint);
	return false;
}

bool openmetrics_fail_byte(
		struct text_reader *r, const char *place, const char *what, const char *hint)
{
	size_t character = place == r->eol ? 0 : utf8_sequence(slice_between(place, r->eol));
	if (place == r->eol) {
		text_fail_at(r, place, arena_printf(r->arena, "%sthe end of the line", what));
	} else if (character > 1) {
		text_fail_at(r, place, arena_printf(r->arena, "%s'%.*s'", what, (int)character, place));
	} else {
		text_fail_quoting_byte(r, place, what);
	}
	r->error->hint = slice_of_hint(hint);
	return false;
}

bool openmetrics_fail_elsewhere(struct text_reader *r, struct slice body,
		struct openmetrics_place place, struct slice what, struct slice hint)
{
	const char *feed = memrchr(body.ptr, '\n', (size_t)(place.at - body.ptr));
	r->line = place.line;
	r->line_start = feed == NULL ? body.ptr : feed + 1;
	r->eol = memchr(place.at, '\n', (size_t)(body.ptr + body.len - place.at));
	return openmetrics_fail_with(r, place.at, what, hint);
}

struct slice openmetrics_quote(struct arena *arena, struct slice escaped)
{
	enum { SHOWN_BYTES = 256 };
	struct buf text;
	buf_init(&text, 0);
	quote_append(&text, slice_first(labels_unescape(arena, escaped), SHOWN_BYTES));
	buf_append_string(&text, escaped.len > SHOWN_BYTES ? "..." : "");
	struct slice copy = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

/* ---- Words ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

struct slice openmetrics_read_name(struct text_reader *r, bool colons)
{
	const char *start = r->at;
	const char *c = start;
	while (is_letter(*c) || (is_digit(*c) && c > start) || (*c == ':' && colons)) {
		c++;
	}
	r->at = c;
	return slice_between(start, c);
}

static bool is_escape(char c)
{
	return c == '\\' || c == '"' || c == 'n';
}

/* A backslash that escapes nothing stands for itself, and is escaped then. */
static struct slice escape_lone_backslashes(struct arena *arena, struct slice raw)
{
	char *text = arena_text(arena, 2 * raw.len);
	char *out = text;
	for (size_t i = 0; i < raw.len; i++) {
		*out++ = raw.ptr[i];
		if (raw.ptr[i] == '\\' && is_escape(raw.ptr[i + 1])) {
			*out++ = raw.ptr[++i];
		} else if (raw.ptr[i] == '\\') {
			*out++ = '\\';
		}
	}
	return slice_between(text, out);
}

bool openmetrics_read_quoted(
		struct text_reader *r, struct slice *ret_escaped, bool *ret_is_verbatim)
{
	const char *start = r->at + 1;
	const char *stop = memchr(start, '"', (size_t)(r->eol - start));
	bool is_verbatim = true;
	if (stop != NULL && memchr(start, '\\', (size_t)(stop - start)) != NULL) {
		const char *c = start;
		for (; c < r->eol && *c != '"'; c++) {
			if (*c == '\\' && c + 1 < r->eol) {
				is_verbatim = is_verbatim && is_escape(c[1]);
				c++;
			}
		}
		stop = c < r->eol ? c : NULL;
	}
	if (stop == NULL) {
		return openmetrics_fail(r, r->at, "the quote is not closed in this line",
				"inside quotes a line feed is written \\n and a quote \\\"");
	}
	struct slice raw = slice_between(start, stop);
	*ret_escaped = is_verbatim ? raw : escape_lone_backslashes(r->arena, raw);
	*ret_is_verbatim = is_verbatim;
	r->at = stop + 1;
	return true;
}

struct slice openmetrics_read_word(struct text_reader *r)
{
	const char *start = r->at;
	const char *c = start;
	while (c < r->eol && *c != ' ') {
		c++;
	}
	r->at = c;
	return slice_between(start, c);
}

bool openmetrics_read_blank(struct text_reader *r, const char *what)
{
	if (*r->at != ' ') {
		return openmetrics_fail_byte(r, r->at, what, NULL);
	}
	r->at++;
	if (*r->at == ' ') {
		return openmetrics_fail(
				r, r->at, "two spaces in a row", "words have one space between them");
	}
	if (r->at == r->eol) {
		return openmetrics_fail(r, r->at, "nothing behind the space",
				"words have one space between them, lines end without one");
	}
	return true;
}
