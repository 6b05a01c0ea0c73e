#include "cli/check_page.h"

#include <stdint.h>

#include "cli/check_block.h"

enum {
	SAMPLES_MAX = 10 * 1000 * 1000,    /* what they take is bounded, whatever the page */
	WORK_BYTES_MIN = 64 * 1024 * 1024, /* a small page may be read often */
	WORK_TIMES = 12,                   /* a large one so many times: 20 faults all over it */
};

void check_page_init(
		struct check_page *page, enum format_id format, bool utf8_names, struct buf *body)
{
	*page = (struct check_page){
		.format = format,
		.options = {
			.samples = SAMPLES_MAX,
			.labels = SIZE_MAX,
			.label_bytes = SIZE_MAX,
			.utf8_names = utf8_names,
		},
		.body = body,
		.work_bytes = WORK_BYTES_MIN + WORK_TIMES * body->len,
	};
	arena_init(&page->arena);
}

void check_page_finish(struct check_page *page)
{
	arena_finish(&page->arena);
}

bool check_page_is_whole(const struct check_page *page)
{
	return page->lines.count == 0;
}

/* ---- Lines ---- */

/* The line that an error is in, with its line feed; ptr NULL when it is in none. */
static struct slice error_line(const struct check_page *page, const struct format_error *error)
{
	struct slice body = buf_slice(page->body);
	const char *start = error->line_text.ptr;
	bool is_inside =
			error->line > 0 && start != NULL && start >= body.ptr && start < body.ptr + body.len;
	if (!is_inside) {
		return slice_make(NULL, 0);
	}
	const char *feed = slice_find_byte(slice_skip(body, (size_t)(start - body.ptr)), '\n');
	return slice_between(start, feed == NULL ? body.ptr + body.len : feed + 1);
}

static void remove_line(struct check_page *page, struct slice line, size_t number)
{
	struct buf *body = page->body;
	size_t start = (size_t)(line.ptr - body->ptr);
	size_t behind = start + line.len;
	bool is_comment = line.ptr[0] == '#';
	memmove(body->ptr + start, body->ptr + behind, body->len - behind);
	body->len -= line.len;
	check_lines_remove(
			&page->lines, (struct check_line){ .number = number, .is_comment = is_comment });
}

static bool is_last_line(const struct check_page *page, struct slice line)
{
	return line.ptr + line.len == page->body->ptr + page->body->len;
}

static bool follows_eof(const struct check_page *page, struct slice line)
{
	struct slice before = slice_between(page->body->ptr, line.ptr);
	return slice_ends_with(before, SLICE("# EOF\n"));
}

/* ---- Faults ---- */

/* What the search for faults is at. */
struct search {
	size_t line;   /* of the latest that was reported */
	bool has_feed; /* the last line was given its line feed */
};

static void report_error(
		struct check_page *page, const struct format_error *error, struct check_report *report)
{
	struct check_finding finding = {
		.line = check_lines_original(&page->lines, error->line),
		.column = error->column,
		.has_offset = error->line == 0,
		.offset = error->offset,
		.what = check_lines_renumber(&page->lines, error->what, &page->arena),
		.hint = check_lines_renumber(&page->lines, error->hint, &page->arena),
	};
	if (error->line > 0) {
		finding.excerpt = format_error_excerpt(error, &page->arena);
	}
	check_report_add(report, &finding);
}

static void report_limit(
		struct check_page *page, const struct format_error *error, struct check_report *report)
{
	struct format_error limited = *error;
	limited.what = SLICE("more samples than weir check reads");
	report_error(page, &limited, report);
}

/* Whether a fault is known, or may only be there because of the lines that were taken out. */
static bool is_consequence(
		const struct check_page *page, size_t latest, const struct format_error *error)
{
	struct slice line = error_line(page, error);
	return check_lines_original(&page->lines, error->line) <= latest
			|| (page->format == FORMAT_OPENMETRICS && line.ptr != NULL
					&& check_block_is_doubtful(page, error, line));
}

/* Takes out what is wrong. False when that cannot be done, or nothing is left to be told. */
static bool go_on(struct check_page *page, const struct format_error *error, struct search *search)
{
	struct slice line = error_line(page, error);
	bool is_openmetrics = page->format == FORMAT_OPENMETRICS;
	bool is_end = is_openmetrics && line.ptr != NULL
			&& (is_last_line(page, line) || follows_eof(page, line));
	if (line.ptr == NULL || is_end) {
		return false;
	}
	page->is_cut = page->work_bytes == 0 || page->lines.count == CHECK_LINES_MAX;
	if (page->is_cut) {
		return false;
	}
	if (!is_openmetrics && line.ptr[line.len - 1] != '\n' && !search->has_feed) {
		buf_append_byte(page->body, '\n');
		search->has_feed = true;
		return true;
	}
	remove_line(page, line, check_lines_original(&page->lines, error->line));
	return true;
}

/* Reports the fault unless it follows from another. False when there is no use in going on. */
static bool handle_fault(struct check_page *page, const struct format_error *error,
		struct search *search, struct check_report *report)
{
	if (error->line == 0 || !is_consequence(page, search->line, error)) {
		bool has_room = check_report_has_room(report);
		report_error(page, error, report);
		if (!has_room) {
			return false;
		}
		search->line = check_lines_original(&page->lines, error->line);
	}
	return go_on(page, error, search);
}

/* Counts what was read up to the fault. */
static void count_work(struct check_page *page, const struct format_error *error)
{
	struct slice line = error_line(page, error);
	size_t bytes = page->body->len;
	if (line.ptr != NULL) {
		bytes = (size_t)(line.ptr - page->body->ptr) + line.len;
	}
	page->work_bytes -= bytes < page->work_bytes ? bytes : page->work_bytes;
}

bool check_page_read(struct check_page *page, struct check_report *report)
{
	bool goes_on = true;
	struct search search = { 0 };
	while (goes_on) {
		struct format_error error = { 0 };
		arena_reset(&page->arena);
		switch (formats[page->format].decode(
				buf_slice(page->body), &page->options, &page->arena, &page->batch, &error)) {
		case FORMAT_OK:
			return true;
		case FORMAT_E_LIMIT:
			report_limit(page, &error, report);
			return false;
		case FORMAT_E_SYNTAX:
			count_work(page, &error);
			goes_on = handle_fault(page, &error, &search, report);
		}
	}
	return false;
}

/* ---- Places ---- */

/* The findings of the batch know their line, not yet where it is. */
static bool is_unplaced(const struct check_finding *finding)
{
	return finding->line > 0 && finding->column == 0;
}

/* The next line that a finding without a place is in; SIZE_MAX: none. */
static size_t next_line(const struct check_report *report)
{
	size_t next = SIZE_MAX;
	for (size_t i = 0; i < report->count; i++) {
		const struct check_finding *finding = &report->findings[i];
		if (is_unplaced(finding) && finding->line < next) {
			next = finding->line;
		}
	}
	return next;
}

static void place_in_line(const struct check_page *page, struct slice line,
		struct check_finding *finding, struct arena *arena)
{
	const char *place = finding->place;
	bool is_inside = place != NULL && place >= line.ptr && place <= line.ptr + line.len;
	struct format_error error = {
		.column = is_inside ? (size_t)(place - line.ptr) + 1 : 1,
		.line_text = line,
	};
	finding->column = error.column;
	finding->excerpt = format_error_excerpt(&error, arena);
	finding->line = check_lines_original(&page->lines, finding->line);
	finding->what = check_lines_renumber(&page->lines, finding->what, arena);
}

void check_page_place(const struct check_page *page, struct check_report *report)
{
	struct slice rest = buf_slice(page->body);
	size_t number = 1; /* of the line that the rest begins with */
	for (size_t wanted = next_line(report); wanted != SIZE_MAX; wanted = next_line(report)) {
		const char *feed = slice_find_byte(rest, '\n');
		while (number < wanted && feed != NULL) {
			rest = slice_skip(rest, (size_t)(feed - rest.ptr) + 1);
			feed = slice_find_byte(rest, '\n');
			number++;
		}
		struct slice line = feed == NULL ? rest : slice_between(rest.ptr, feed);
		for (size_t i = 0; i < report->count; i++) {
			struct check_finding *finding = &report->findings[i];
			if (is_unplaced(finding) && finding->line == wanted) {
				place_in_line(page, line, finding, &report->arena);
			}
		}
	}
	check_report_sort(report);
}
