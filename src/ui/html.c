#include "ui/html.h"

#include <time.h>

#include "base/utf8.h"

/* Go's html/template has the same. */
static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&#34;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static bool is_control(unsigned char byte)
{
	return (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
}

/* The first character; returns its length. */
static size_t append_character(struct buf *out, struct slice text)
{
	size_t len = utf8_sequence(text);
	const char *entity = entity_of(text.ptr[0]);
	if (len == 0 || is_control((unsigned char)text.ptr[0])) {
		buf_append(out, SLICE("\xef\xbf\xbd"));
		return 1;
	}
	buf_append(out, entity != NULL ? slice_of_string(entity) : slice_first(text, len));
	return len;
}

void html_append(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		text = slice_skip(text, append_character(out, text));
	}
}

/* Shows what there is to show of the text; returns whether that is all of it. */
static bool append_most(struct buf *out, struct slice text, size_t bytes, bool is_escaped)
{
	const char *start = text.ptr;
	while (text.len > 0) {
		if ((size_t)(text.ptr - start) >= bytes) {
			return false;
		}
		if (is_escaped && text.ptr[0] == '\\' && text.len > 1) {
			char c = text.ptr[1];
			append_character(out, c == 'n' ? SLICE("\n") : slice_make(&c, 1));
			text = slice_skip(text, 2);
		} else {
			text = slice_skip(text, append_character(out, text));
		}
	}
	return true;
}

void html_append_cut(struct buf *out, struct slice text, size_t bytes)
{
	if (!append_most(out, text, bytes, false)) {
		buf_append(out, SLICE("\xe2\x80\xa6"));
	}
}

void html_append_escaped(struct buf *out, struct slice escaped, size_t bytes)
{
	if (!append_most(out, escaped, bytes, true)) {
		buf_append(out, SLICE("\xe2\x80\xa6"));
	}
}

void html_append_time(struct buf *out, int64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	struct tm utc;
	char text[64];
	gmtime_r(&seconds, &utc);
	size_t len = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &utc);
	buf_append(out, slice_make(text, len));
}

void html_append_query(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
				|| c == '-' || c == '.' || c == '_' || c == '~';
		if (is_plain) {
			buf_append_byte(out, c);
		} else {
			buf_printf(out, "%%%02X", (unsigned char)c);
		}
	}
}
