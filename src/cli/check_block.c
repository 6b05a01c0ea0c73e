#include "cli/check_block.h"

/* The start of the line before; NULL when this is the first. */
static const char *line_before(const struct check_page *page, const char *line)
{
	const char *start = page->body->ptr;
	if (line == start) {
		return NULL;
	}
	const char *feed = memrchr(start, '\n', (size_t)(line - 1 - start));
	return feed == NULL ? start : feed + 1;
}

/*
 * Whether lines of the metric were taken out before that one. A metric is
 * comments, then samples, so it begins where samples come before a comment.
 */
static bool has_gap(const struct check_page *page, const char *line, size_t number)
{
	const struct check_line *removed = check_lines_before(&page->lines, number);
	bool is_comment = *line == '#';
	while (removed != NULL && removed->number < number - 1) {
		line = line_before(page, line);
		if (line == NULL || (is_comment && *line != '#')) {
			return false;
		}
		is_comment = *line == '#';
		number--;
	}
	return removed != NULL && (removed->is_comment || !is_comment);
}

static bool is_wrong_alone(
		const struct check_page *page, const struct format_error *error, struct slice line)
{
	struct batch batch;
	struct format_error alone = { 0 };
	struct arena arena;
	struct buf text;
	arena_init(&arena);
	buf_init(&text, 0);
	buf_append(&text, line);
	buf_append_string(&text, "# EOF\n");
	enum format_result result =
			formats[page->format].decode(buf_slice(&text), &page->options, &arena, &batch, &alone);
	bool is_same = result == FORMAT_E_SYNTAX && slice_equal(alone.what, error->what);
	buf_finish(&text);
	arena_finish(&arena);
	return is_same;
}

bool check_block_is_doubtful(
		const struct check_page *page, const struct format_error *error, struct slice line)
{
	size_t number = check_lines_original(&page->lines, error->line);
	return has_gap(page, line.ptr, number) && !is_wrong_alone(page, error, line);
}
