#include "cli/check_lines.h"

#include "base/buf.h"

void check_lines_remove(struct check_lines *lines, struct check_line line)
{
	size_t place = lines->count++;
	for (; place > 0 && lines->removed[place - 1].number > line.number; place--) {
		lines->removed[place] = lines->removed[place - 1];
	}
	lines->removed[place] = line;
}

const struct check_line *check_lines_before(const struct check_lines *lines, size_t number)
{
	const struct check_line *before = NULL;
	for (size_t i = 0; i < lines->count && lines->removed[i].number < number; i++) {
		before = &lines->removed[i];
	}
	return before;
}

size_t check_lines_original(const struct check_lines *lines, size_t line)
{
	for (size_t i = 0; i < lines->count && line > 0; i++) {
		line += lines->removed[i].number <= line;
	}
	return line;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Bytes of a quoted part that begins the text; 0: none does. */
static size_t quoted_bytes(struct slice text)
{
	if (text.len > 2 && text.ptr[0] == '\'') {
		return text.ptr[2] == '\'' ? 3 : 0; /* one character */
	}
	if (text.ptr[0] != '"') {
		return 0;
	}
	size_t len = 1;
	while (len < text.len && text.ptr[len] != '"') {
		len += text.ptr[len] == '\\' ? 2 : 1;
	}
	return len < text.len ? len + 1 : text.len;
}

/* Takes the digits behind "line ". */
static size_t take_number(struct slice *text)
{
	enum { NUMBER_MAX = 1 << 30 };
	size_t number = 0;
	while (text->len > 0 && is_digit(text->ptr[0]) && number < NUMBER_MAX) {
		number = number * 10 + (size_t)(text->ptr[0] - '0');
		*text = slice_skip(*text, 1);
	}
	return number;
}

struct slice check_lines_renumber(
		const struct check_lines *lines, struct slice text, struct arena *arena)
{
	const struct slice mark = SLICE("line ");
	struct buf out;
	if (lines->count == 0 || text.len == 0) {
		return text;
	}
	buf_init(&out, 0);
	while (text.len > 0) {
		bool is_number = slice_starts_with(text, mark) && text.len > mark.len
				&& is_digit(text.ptr[mark.len]);
		if (is_number) {
			text = slice_skip(text, mark.len);
			buf_printf(&out, "line %zu", check_lines_original(lines, take_number(&text)));
			continue;
		}
		size_t quoted = quoted_bytes(text);
		size_t len = quoted > 0 ? quoted : 1;
		buf_append(&out, slice_first(text, len));
		text = slice_skip(text, len);
	}
	struct slice renumbered = arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return renumbered;
}
