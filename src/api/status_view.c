#include "api/status_view.h"

#include <inttypes.h>
#include <stdlib.h>

#include "config/table.h"
#include "config/value.h"
#include "store/block.h"
#include "ui/assets.h"
#include "ui/html.h"
#include "version.h"

/* ---- Pieces ---- */

static void append_text(struct buf *out, const char *before, struct slice text, const char *behind)
{
	buf_append_string(out, before);
	html_append_cut(out, text, STATUS_TEXT_BYTES);
	buf_append_string(out, behind);
}

static void append_escaped(
		struct buf *out, const char *before, struct slice escaped, const char *behind)
{
	buf_append_string(out, before);
	html_append_escaped(out, escaped, STATUS_TEXT_BYTES);
	buf_append_string(out, behind);
}

static void append_count(struct buf *out, uint64_t count, const char *one, const char *many)
{
	buf_printf(out, "%" PRIu64 " %s", count, count == 1 ? one : many);
}

/* An attribute that leads to another endpoint. */
static void append_link(
		struct buf *out, const struct status_view *view, const char *attribute, struct slice path)
{
	buf_printf(out, " %s=\"", attribute);
	html_append(out, view->link_prefix);
	html_append(out, path);
	buf_append_byte(out, '"');
}

/* ---- Samples ---- */

/* series value */
static void write_sample(struct buf *out, struct slice line)
{
	const char *blank = memrchr(line.ptr, ' ', line.len);
	append_text(out, "<tr><td>", slice_between(line.ptr, blank), "</td><td>");
	append_text(out, "", slice_between(blank + 1, line.ptr + line.len), "</td></tr>\n");
}

/* Up to so many lines of the chunk; returns how many. */
static size_t write_chunk(struct buf *out, const struct chunk *chunk, size_t most)
{
	struct slice rest = chunk_text(chunk);
	size_t count = 0;
	for (; rest.len > 0 && count < most; count++) {
		const char *feed = slice_find_byte(rest, '\n');
		struct slice line = slice_between(rest.ptr, feed);
		write_sample(out, line);
		rest = slice_skip(rest, line.len + 1);
	}
	return count;
}

static void write_samples(struct buf *out, const struct block *block)
{
	size_t shown = 0;
	buf_append_string(out, "<table>\n");
	for (size_t i = 0; i < block->chunk_count && shown < STATUS_SAMPLES_MAX; i++) {
		shown += write_chunk(out, block->chunks[i], STATUS_SAMPLES_MAX - shown);
	}
	buf_append_string(out, "</table>\n");
	if (shown < block->line_count) {
		buf_printf(out, "<p class=\"faint\">%zu of %" PRIu32 " series</p>\n", shown,
				block->line_count);
	}
}

/* ---- Groups ---- */

static void write_family(struct buf *out, const struct status_family *family)
{
	buf_append_string(out, "<details><summary>");
	append_escaped(out, "<span class=\"name\">", family->name, "</span> ");
	append_text(out, "<span class=\"type\">",
			metric_type_name((enum metric_type)family->block->type), "</span>\n");
	if (family->is_shadowed) {
		buf_append_string(
				out, "<span class=\"failed\">not exposed: contradicts another group</span>\n");
	}
	buf_append_string(out, "<span class=\"faint\">");
	append_count(out, family->block->line_count, "series", "series");
	buf_append_string(out, ", pushed ");
	html_append_time(out, family->pushed_ns);
	buf_append_string(out, "</span></summary>\n");
	if (family->help.len > 0) {
		append_escaped(out, "<p>", family->help, "</p>\n");
	}
	if (out->len < STATUS_BYTES) {
		write_samples(out, family->block);
	} else {
		buf_append_string(out, "<p class=\"faint\">The page is full.</p>\n");
	}
	buf_append_string(out, "</details>\n");
}

static void write_label(struct buf *out, const struct label *label)
{
	bool is_job = slice_equal(label->name, SLICE("job"));
	append_escaped(out, is_job ? "<span class=\"label job\">" : "<span class=\"label\">",
			label->name, "=&#34;");
	append_escaped(out, "", label->value, "&#34;</span>");
}

/* The job first. */
static void write_labels(struct buf *out, const struct labels *labels)
{
	size_t shown = labels->count < STATUS_LABELS_MAX ? labels->count : STATUS_LABELS_MAX;
	for (size_t i = 0; i < labels->count; i++) {
		if (slice_equal(labels->pairs[i].name, SLICE("job"))) {
			write_label(out, &labels->pairs[i]);
		}
	}
	for (size_t i = 0; i < shown; i++) {
		if (!slice_equal(labels->pairs[i].name, SLICE("job"))) {
			write_label(out, &labels->pairs[i]);
		}
	}
	if (shown < labels->count) {
		buf_printf(out, " and %zu more labels", labels->count - shown);
	}
}

static void write_push_times(struct buf *out, const struct group_times *times)
{
	buf_append_string(out, "<span class=\"faint\">");
	if (times->pushed_ns == 0) {
		buf_append_string(out, "never pushed with success");
	} else {
		buf_append_string(out, "pushed ");
		html_append_time(out, times->pushed_ns);
	}
	buf_append_string(out, "</span>\n");
	if (times->failed_ns > times->pushed_ns) {
		buf_append_string(out, "<span class=\"failed\">last push failed, ");
		html_append_time(out, times->failed_ns);
		buf_append_string(out, "</span>\n");
	}
}

static int compare_names(const void *a, const void *b)
{
	const struct status_family *left = a;
	const struct status_family *right = b;
	return slice_compare(left->name, right->name);
}

static void write_group(struct buf *out, struct status_group *group)
{
	size_t shown = group->family_count;
	qsort(group->families, shown, sizeof(group->families[0]), compare_names);
	shown = shown < STATUS_FAMILIES_MAX ? shown : STATUS_FAMILIES_MAX;
	buf_append_string(out, "<details><summary>");
	write_labels(out, &group->labels);
	buf_append_byte(out, '\n');
	write_push_times(out, &group->times);
	buf_append_string(out, "<span class=\"faint\">");
	append_count(out, group->family_count + group->more_families, "metric", "metrics");
	buf_append_string(out, ", ");
	append_count(out, group->series, "series", "series");
	buf_append_string(out, "</span></summary>\n");
	for (size_t i = 0; i < shown; i++) {
		write_family(out, &group->families[i]);
	}
	size_t hidden = group->family_count + group->more_families - shown;
	if (hidden > 0) {
		buf_append_string(out, "<p class=\"faint\">and ");
		append_count(out, hidden, "more metric", "more metrics");
		buf_append_string(out, "</p>\n");
	}
	buf_append_string(out, "</details>\n");
}

/* ---- Around them ---- */

static void write_head(struct buf *out, const struct status_view *view)
{
	const struct asset *style = assets_find(SLICE("style.css"));
	buf_append_string(out,
			"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			"<meta name=\"robots\" content=\"noindex\">\n"
			"<meta name=\"viewport\" content=\"width=device-width\">\n"
			"<title>weir</title>\n<link rel=\"stylesheet\"");
	append_link(out, view, "href", SLICE("/static/"));
	out->len--; /* the quote */
	html_append(out, style->name);
	buf_append_string(out, "?v=");
	html_append(out, slice_make(style->etag.ptr + 1, style->etag.len - 2));
	buf_append_string(out, "\">\n</head>\n<body>\n<header>\n<h1>weir</h1>\n<span>");
	append_count(out, view->all_groups, "group", "groups");
	buf_append_string(out, ", ");
	append_count(out, view->all_series, "series", "series");
	buf_append_string(out, "</span>\n<a");
	append_link(out, view, "href", view->scrape_path);
	buf_append_string(out, ">scrape</a>\n<a");
	append_link(out, view, "href", SLICE("/api/v1/metrics"));
	buf_append_string(out, ">as JSON</a>\n<a");
	append_link(out, view, "href", SLICE("/openapi.json"));
	buf_append_string(out, ">API</a>\n<a href=\"#status\">status</a>\n");
	if (view->away.len > 0) {
		append_text(out, "<a class=\"failed\" href=\"#status\">away: ", view->away, "</a>\n");
	}
	buf_append_string(out, "</header>\n");
}

static void write_filter(struct buf *out, const struct status_view *view)
{
	buf_append_string(out, "<form method=\"get\">\n<label>Job <input name=\"job\" value=\"");
	html_append(out, view->job_text);
	buf_append_string(out, "\"></label>\n<button>Show</button>\n");
	if (view->job.len > 0) {
		buf_append_string(out, "<a href=\"?page=1\">all jobs</a>\n");
	}
	buf_append_string(out, "</form>\n");
}

static void write_page_link(
		struct buf *out, const struct status_view *view, uint64_t page, const char *text)
{
	buf_printf(out, "<a href=\"?page=%" PRIu64, page);
	if (view->job.len > 0) {
		buf_append_string(out, "&amp;job=");
		html_append_query(out, view->job_text);
	}
	buf_printf(out, "\">%s</a>\n", text);
}

static void write_pages(struct buf *out, const struct status_view *view)
{
	if (view->page_count == 1) {
		return;
	}
	buf_append_string(out, "<nav>\n");
	if (view->page > 1) {
		write_page_link(out, view, view->page - 1, "previous");
	}
	buf_printf(out, "<span>page %" PRIu64 " of %" PRIu64 "</span>\n", view->page, view->page_count);
	if (view->page < view->page_count) {
		write_page_link(out, view, view->page + 1, "next");
	}
	buf_append_string(out, "</nav>\n");
}

static void write_groups(struct buf *out, struct status_view *view)
{
	buf_append_string(out, "<h2>Groups</h2>\n");
	write_filter(out, view);
	if (view->group_total == 0) {
		buf_append_string(out,
				view->job.len > 0 ? "<p>No group has this job.</p>\n"
								  : "<p>Nothing was pushed.</p>\n");
	} else if (view->job.len > 0) {
		buf_append_string(out, "<p>");
		append_count(out, view->group_total, "group", "groups");
		append_text(out, " of job ", view->job_text, "</p>\n");
	}
	write_pages(out, view);
	for (size_t i = 0; i < view->group_count; i++) {
		write_group(out, &view->groups[i]);
	}
	write_pages(out, view);
}

struct slice status_view_flags(const struct config *config, struct arena *arena)
{
	struct buf text;
	struct buf *out = &text;
	buf_init(out, 0);
	const struct setting *sorted[CONFIG_SETTINGS_MAX];
	struct buf value;
	settings_by_name(sorted);
	buf_init(&value, 0);
	buf_append_string(out, "<table class=\"flags\">\n");
	for (size_t i = 0; i < settings_count; i++) {
		buf_reset(&value, SIZE_MAX);
		value_print(config, sorted[i], &value);
		append_text(out, "<tr><td>", slice_of_string(sorted[i]->name), "</td><td>");
		append_text(out, "", buf_slice(&value), "</td></tr>\n");
	}
	buf_append_string(out, "</table>\n");
	buf_finish(&value);
	struct slice copy = arena_copy(arena, buf_slice(out));
	buf_finish(out);
	return copy;
}

static void write_status(struct buf *out, const struct status_view *view)
{
	buf_append_string(out,
			"<h2 id=\"status\">Status</h2>\n<p>weir " WEIR_VERSION " (" WEIR_COMPILER
			", " WEIR_PLATFORM "), started ");
	html_append_time(out, view->started_ns);
	buf_append_string(out, "; this page is of ");
	html_append_time(out, view->now_ns);
	buf_append_string(out,
			".</p>\n<p>Groups are deleted by the API: DELETE /metrics/job/JOB/NAME/VALUE...</p>\n");
	buf_append(out, view->components);
	buf_append(out, view->flags);
}

void status_view_write(struct status_view *view, struct buf *out)
{
	write_head(out, view);
	write_groups(out, view);
	write_status(out, view);
	buf_append_string(out, "</body>\n</html>\n");
}
