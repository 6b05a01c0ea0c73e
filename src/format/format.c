#include "format/format.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "format/openmetrics_parse.h"
#include "format/protobuf_parse.h"
#include "format/text_parse.h"

const struct format formats[FORMAT_COUNT] = {
	[FORMAT_TEXT] = { "text", text_parse, "text format parsing error" },
	[FORMAT_OPENMETRICS] = { "openmetrics", openmetrics_parse, "openmetrics parsing error" },
	[FORMAT_PROTOBUF] = { "protobuf", protobuf_parse, "" },
};

enum {
	EXCERPT_BEFORE = 60, /* bytes shown before the place */
	EXCERPT_AFTER = 40,
};

static struct slice cut_around(const struct format_error *error, size_t *ret_caret)
{
	size_t place = error->column - 1;
	struct slice text = error->line_text;
	if (place > text.len) {
		place = text.len;
	}
	size_t start = place > EXCERPT_BEFORE ? place - EXCERPT_BEFORE : 0;
	*ret_caret = place - start;
	return slice_first(slice_skip(text, start), *ret_caret + EXCERPT_AFTER);
}

/* Whether a character is none of those that a terminal takes for commands. */
static bool is_shown(struct slice sequence)
{
	switch (sequence.len) {
	case 0:
		return false; /* not UTF-8 */
	case 1:
		return sequence.ptr[0] >= 0x20 && sequence.ptr[0] < 0x7f;
	case 2:
		return sequence.ptr[0] != '\xc2' || (unsigned char)sequence.ptr[1] >= 0xa0;
	default:
		return true;
	}
}

/* One column for each character; what cannot be shown becomes a '?'. */
static size_t append_printable(struct buf *out, struct slice text)
{
	size_t columns = 0;
	while (text.len > 0) {
		size_t len = utf8_sequence(text);
		if (is_shown(slice_first(text, len))) {
			buf_append(out, slice_first(text, len));
		} else {
			buf_append_byte(out, text.ptr[0] == '\t' ? ' ' : '?');
		}
		text = slice_skip(text, len == 0 ? 1 : len);
		columns++;
	}
	return columns;
}

struct slice format_error_excerpt(const struct format_error *error, struct arena *arena)
{
	const struct slice indent = SLICE("    ");
	size_t caret;
	struct slice text = cut_around(error, &caret);
	struct buf out;
	buf_init(&out, 0);
	buf_append(&out, indent);
	size_t columns = append_printable(&out, slice_first(text, caret));
	append_printable(&out, slice_skip(text, caret > text.len ? text.len : caret));
	buf_append_byte(&out, '\n');
	buf_append(&out, indent);
	buf_printf(&out, "%*s^\n", (int)columns, "");
	struct slice excerpt = arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return excerpt;
}

struct slice format_error_text(
		const struct format *format, const struct format_error *error, struct arena *arena)
{
	struct buf out;
	buf_init(&out, 0);
	if (error->line > 0) {
		buf_printf(&out, "%s in line %zu: ", format->error_prefix, error->line);
	}
	buf_append(&out, error->what);
	buf_append_byte(&out, '\n');
	if (error->line > 0) {
		buf_append(&out, format_error_excerpt(error, arena));
	} else {
		buf_printf(&out, "at byte %zu\n", error->offset);
	}
	if (error->hint.ptr != NULL) {
		buf_append(&out, SLICE("hint: "));
		buf_append(&out, error->hint);
		buf_append_byte(&out, '\n');
	}
	struct slice text = arena_copy(arena, slice_first(buf_slice(&out), out.len - 1));
	buf_finish(&out);
	return text;
}
