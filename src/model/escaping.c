#include "model/escaping.h"

#include <stdint.h>

#include "base/utf8.h"
#include "model/labels.h"

static const struct slice names[ESCAPING_COUNT] = {
	[ESCAPING_UNDERSCORES] = SLICE_INIT("underscores"),
	[ESCAPING_ALLOW_UTF8] = SLICE_INIT("allow-utf-8"),
	[ESCAPING_DOTS] = SLICE_INIT("dots"),
	[ESCAPING_VALUES] = SLICE_INIT("values"),
};

struct slice escaping_name(enum escaping escaping)
{
	return names[escaping];
}

bool escaping_find(struct slice name, enum escaping *ret_escaping)
{
	for (enum escaping escaping = 0; escaping < ESCAPING_COUNT; escaping++) {
		if (slice_equal(name, names[escaping])) {
			*ret_escaping = escaping;
			return true;
		}
	}
	return false;
}

/* ---- Characters ---- */

/* The code point at the start of the text, and how many bytes it takes. */
static uint32_t read_character(struct slice text, size_t *ret_len)
{
	static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t len = utf8_sequence(text);
	if (len == 0) {
		*ret_len = 1;
		return 0xfffd;
	}
	uint32_t character = (unsigned char)text.ptr[0] & first_bits[len];
	for (size_t i = 1; i < len; i++) {
		character = character << 6 | ((unsigned char)text.ptr[i] & 0x3f);
	}
	*ret_len = len;
	return character;
}

/* The next character of an escaped name: \\ \" and \n stand for one each. */
static uint32_t take_character(struct slice *rest)
{
	size_t len;
	if (rest->ptr[0] == '\\' && rest->len > 1) {
		char c = rest->ptr[1];
		*rest = slice_skip(*rest, 2);
		return c == 'n' ? '\n' : (unsigned char)c;
	}
	uint32_t character = read_character(*rest, &len);
	*rest = slice_skip(*rest, len);
	return character;
}

/* Whether the character may stand there in a name that needs no quotes. */
static bool is_plain(uint32_t c, bool is_first, bool has_colons)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (has_colons && c == ':')
			|| (c >= '0' && c <= '9' && !is_first);
}

/* ---- Schemes ---- */

static void append_under_dots(struct buf *out, uint32_t character, bool is_plain_character)
{
	if (character == '.') {
		buf_append(out, SLICE("_dot_"));
	} else if (character == '_' || !is_plain_character) {
		buf_append(out, SLICE("__"));
	} else {
		buf_append_byte(out, (char)character);
	}
}

static void append_under_values(struct buf *out, uint32_t character, bool is_plain_character)
{
	if (character == '_') {
		buf_append(out, SLICE("__"));
	} else if (is_plain_character) {
		buf_append_byte(out, (char)character);
	} else {
		buf_printf(out, "_%x_", (unsigned)character);
	}
}

static void append_escaped(
		struct buf *out, struct slice name, enum escaping escaping, bool has_colons)
{
	buf_append(out, escaping == ESCAPING_VALUES ? SLICE("U__") : SLICE(""));
	for (bool is_first = true; name.len > 0; is_first = false) {
		uint32_t character = take_character(&name);
		bool plain = is_plain(character, is_first, has_colons);
		switch (escaping) {
		case ESCAPING_DOTS:
			append_under_dots(out, character, plain);
			break;
		case ESCAPING_VALUES:
			append_under_values(out, character, plain);
			break;
		case ESCAPING_UNDERSCORES:
		case ESCAPING_ALLOW_UTF8:
		case ESCAPING_COUNT:
			buf_append_byte(out, plain ? (char)character : '_');
			break;
		}
	}
}

void escaping_append_metric(struct buf *out, struct slice name, enum escaping escaping)
{
	if (escaping == ESCAPING_ALLOW_UTF8 || labels_is_metric_name(name)) {
		buf_append(out, name);
	} else {
		append_escaped(out, name, escaping, true);
	}
}

void escaping_append_label(struct buf *out, struct slice name, enum escaping escaping)
{
	if (escaping == ESCAPING_ALLOW_UTF8 || labels_is_name(name)) {
		buf_append(out, name);
	} else {
		append_escaped(out, name, escaping, false);
	}
}

/* ---- Back ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool append_character(struct buf *out, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
		return false;
	}
	if (c < 0x80) {
		buf_append_byte(out, (char)c);
		return true;
	}
	size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const unsigned char marks[] = { 0, 0xc0, 0xe0, 0xf0 };
	buf_append_byte(out, (char)(marks[more] | c >> (6 * more)));
	while (more-- > 0) {
		buf_append_byte(out, (char)(0x80 | (c >> (6 * more) & 0x3f)));
	}
	return true;
}

/* HEX_ of up to six digits, possibly none: U+0000; the rest begins behind the '_' before it. */
static bool take_hex(struct slice *rest, struct buf *out)
{
	enum { DIGITS_MAX = 6 };
	uint32_t character = 0;
	for (size_t i = 0; i < rest->len && i <= DIGITS_MAX; i++) {
		if (rest->ptr[i] == '_') {
			*rest = slice_skip(*rest, i + 1);
			return append_character(out, character);
		}
		int digit = hex_digit(rest->ptr[i]);
		if (digit < 0) {
			return false;
		}
		character = character * 16 + (uint32_t)digit;
	}
	return false;
}

static bool undo_values(struct slice rest, struct buf *out)
{
	while (rest.len > 0) {
		char c = rest.ptr[0];
		rest = slice_skip(rest, 1);
		if (c != '_') {
			buf_append_byte(out, c);
		} else if (rest.len > 0 && rest.ptr[0] == '_') {
			buf_append_byte(out, '_');
			rest = slice_skip(rest, 1);
		} else if (!take_hex(&rest, out)) {
			return false;
		}
	}
	return true;
}

struct slice escaping_undo_values(struct arena *arena, struct slice name)
{
	const struct slice prefix = SLICE("U__");
	if (!slice_starts_with(name, prefix)) {
		return name;
	}
	struct buf out;
	buf_init(&out, 0);
	if (undo_values(slice_skip(name, prefix.len), &out)) {
		name = out.len == 0 ? SLICE("") : arena_copy(arena, buf_slice(&out));
	}
	buf_finish(&out);
	return name;
}
