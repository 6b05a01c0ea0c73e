#include "format/text_reader.h"

#include "base/buf.h"
#include "base/quote.h"
#include "format/text_hint.h"

/* ---- Errors ---- */

bool text_fail_at(struct text_reader *r, const char *place, struct slice what)
{
	const char *line_end = r->eol;
	if (place < r->line_start || place > line_end) {
		place = r->line_start; /* a bound that was normalised lies elsewhere */
	}
	r->result = FORMAT_E_SYNTAX;
	*r->error = (struct format_error){
		.line = r->line,
		.column = (size_t)(place - r->line_start) + 1,
		.line_text = slice_between(r->line_start, line_end),
		.what = what,
	};
	return false;
}

bool text_fail(struct text_reader *r, const char *place, const char *what)
{
	return text_fail_at(r, place, slice_of_string(what));
}

/* what "quoted", the latter cut to what one can read */
bool text_fail_quoting(
		struct text_reader *r, const char *place, const char *what, struct slice quoted)
{
	enum { SHOWN_BYTES = 256 };
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, what);
	quote_append(&text, slice_first(quoted, SHOWN_BYTES));
	if (quoted.len > SHOWN_BYTES) {
		buf_append_string(&text, "...");
	}
	struct slice copy = arena_copy(r->fault_arena, buf_slice(&text));
	buf_finish(&text);
	return text_fail_at(r, place, copy);
}

bool text_fail_quoting_escaped(
		struct text_reader *r, const char *place, const char *what, struct slice escaped)
{
	return text_fail_quoting(r, place, what, labels_unescape(r->fault_arena, escaped));
}

/* what 'x' */
bool text_fail_quoting_byte(struct text_reader *r, const char *place, const char *what)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, what);
	quote_append_byte(&text, (unsigned char)*place);
	struct slice copy = arena_copy(r->fault_arena, buf_slice(&text));
	buf_finish(&text);
	return text_fail_at(r, place, copy);
}

bool text_fail_escape(struct text_reader *r, const char *place)
{
	char byte = *place;
	struct slice what = byte >= ' ' && byte <= '~'
			? arena_printf(r->fault_arena, "invalid escape sequence '\\%c'", byte)
			: arena_printf(
					r->fault_arena, "invalid escape sequence '\\\\x%02x'", (unsigned char)byte);
	return text_fail_at(r, place - 1, what)
			|| text_hint(r, "a backslash is written \\\\, a quote \\\", a line feed \\n");
}

bool text_fail_limit(struct text_reader *r, const char *place, enum format_limit limit)
{
	text_fail(r, place, "");
	r->error->limit = limit;
	r->result = FORMAT_E_LIMIT;
	return false;
}

/* Whether there is a byte at `at`; the line feed counts. */
bool text_has_byte(struct text_reader *r)
{
	return r->at < r->end || text_fail(r, r->at, "unexpected end of input stream")
			|| text_hint(
					r, "the last line ends in a line feed, too; curl sends it with --data-binary");
}

/* ---- Tokens ---- */

bool text_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool text_skip_blanks(struct text_reader *r)
{
	while (r->at < r->eol && text_is_blank(*r->at)) {
		r->at++;
	}
	return text_has_byte(r);
}

bool text_read_until_blank(struct text_reader *r, struct slice *ret_token)
{
	const char *start = r->at;
	while (r->at < r->eol && !text_is_blank(*r->at)) {
		r->at++;
	}
	*ret_token = slice_between(start, r->at);
	return text_has_byte(r);
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_byte(char c)
{
	return is_name_start(c) || (c >= '0' && c <= '9');
}

/*
 * What is in quotes, still escaped; `at` is behind the opening quote before and
 * behind the closing one after.
 */
static bool read_quoted(struct text_reader *r, const char *what, struct slice *ret_text)
{
	const char *start = r->at;
	const char *quote = memchr(start, '"', (size_t)(r->eol - start));
	const char *stop = quote == NULL ? r->eol : quote;
	if (memchr(start, '\\', (size_t)(stop - start)) != NULL) {
		const char *c = start;
		for (; c < r->eol && *c != '"'; c++) {
			if (*c == '\\' && ++c < r->end && *c != '\\' && *c != '"' && *c != 'n') {
				return text_fail_escape(r, c);
			}
		}
		stop = c > r->eol ? r->eol : c;
	}
	r->at = stop;
	*ret_text = slice_between(start, stop);
	if (!text_has_byte(r)) {
		return false;
	}
	if (*stop != '"') {
		return text_fail_quoting_escaped(r, start, what, *ret_text)
				|| text_fail_at(r, start,
						arena_printf(r->fault_arena, SLICE_FMT " contains unescaped new-line",
								SLICE_ARG(r->error->what)))
				|| text_hint(
						r, "the closing quote is missing; a line feed in quotes is written \\n");
	}
	r->at++;
	return true;
}

bool text_read_name(struct text_reader *r, bool colons, struct slice *ret_name)
{
	if (r->at < r->eol && *r->at == '"') {
		r->at++;
		return read_quoted(r, colons ? "metric name " : "label name ", ret_name)
				&& text_has_byte(r);
	}
	const char *start = r->at;
	if (r->at < r->eol && (is_name_start(*r->at) || (colons && *r->at == ':'))) {
		while (r->at < r->eol && (is_name_byte(*r->at) || (colons && *r->at == ':'))) {
			r->at++;
		}
	}
	*ret_name = slice_between(start, r->at);
	return text_has_byte(r);
}

bool text_read_label_value(struct text_reader *r, struct slice *ret_value)
{
	return read_quoted(r, "label value ", ret_value);
}

/* The rest of the line; backslashes vanish, as they do upstream. */
struct slice text_rest_of_line(struct text_reader *r)
{
	struct slice rest = slice_between(r->at, r->eol);
	if (slice_find_byte(rest, '\\') == NULL) {
		return rest;
	}
	char *text = arena_text(r->arena, rest.len);
	size_t len = 0;
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.ptr[i] != '\\') {
			text[len++] = rest.ptr[i];
		}
	}
	return slice_make(text, len);
}

bool text_skip_line(struct text_reader *r)
{
	r->at = r->eol;
	return text_has_byte(r);
}
