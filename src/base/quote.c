#include "base/quote.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/utf8.h"

static const char *short_escape(uint32_t rune)
{
	switch (rune) {
	case '\a':
		return "\\a";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	case '\v':
		return "\\v";
	case '\\':
		return "\\\\";
	default:
		return NULL;
	}
}

static uint32_t decode(struct slice sequence)
{
	const unsigned char *bytes = (const unsigned char *)sequence.ptr;
	uint32_t rune = sequence.len == 1 ? bytes[0] : bytes[0] & (0x7fu >> sequence.len);
	for (size_t i = 1; i < sequence.len; i++) {
		rune = rune << 6 | (bytes[i] & 0x3fu);
	}
	return rune;
}

static bool is_printable(uint32_t rune)
{
	bool is_control = rune < 0x20 || (rune >= 0x7f && rune < 0xa0);
	bool is_blank = rune == 0xa0 || rune == 0xad || (rune >= 0x2000 && rune <= 0x200f)
			|| (rune >= 0x2028 && rune <= 0x202f) || rune == 0xfeff;
	return !is_control && !is_blank;
}

static void append_rune(struct buf *out, struct slice sequence, char quote)
{
	uint32_t rune = decode(sequence);
	const char *escape = short_escape(rune);
	if (rune == (unsigned char)quote) {
		buf_append_byte(out, '\\');
		buf_append_byte(out, quote);
	} else if (escape != NULL) {
		buf_append_string(out, escape);
	} else if (is_printable(rune)) {
		buf_append(out, sequence);
	} else if (rune < 0x80) {
		buf_printf(out, "\\x%02x", rune);
	} else {
		buf_printf(out, rune < 0x10000 ? "\\u%04x" : "\\U%08x", rune);
	}
}

void quote_append(struct buf *out, struct slice text)
{
	buf_append_byte(out, '"');
	while (text.len > 0) {
		size_t len = utf8_sequence(text);
		if (len == 0) {
			buf_printf(out, "\\x%02x", (unsigned char)text.ptr[0]);
			len = 1;
		} else {
			append_rune(out, slice_first(text, len), '"');
		}
		text = slice_skip(text, len);
	}
	buf_append_byte(out, '"');
}

void quote_append_byte(struct buf *out, unsigned char byte)
{
	char sequence[2] = { (char)(0xc0 | byte >> 6), (char)(0x80 | (byte & 0x3f)) };
	char single = (char)byte;
	buf_append_byte(out, '\'');
	append_rune(out, byte < 0x80 ? slice_make(&single, 1) : slice_make(sequence, 2), '\'');
	buf_append_byte(out, '\'');
}
