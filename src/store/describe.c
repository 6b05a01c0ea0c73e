#include "store/describe.h"

#include "base/buf.h"
#include "base/quote.h"
#include "store/line.h"

static const char *const kinds[] = {
	[METRIC_UNTYPED] = "untyped",
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_SUMMARY] = "summary",
	[METRIC_HISTOGRAM] = "histogram",
	[METRIC_GAUGE_HISTOGRAM] = "histogram",
	[METRIC_OPEN_GAUGE_HISTOGRAM] = "histogram",
	[METRIC_INFO] = "gauge",
	[METRIC_STATESET] = "gauge",
};

/* Enough to recognise a sample by; it may have thousands of labels. */
enum { SHOWN_BYTES = 1024 };

static void append_labels(struct buf *text, struct arena *arena, struct slice series)
{
	struct line_labels labels = line_labels_of(series);
	struct label label;
	while (line_labels_next(&labels, &label)) {
		if (text->len > SHOWN_BYTES) {
			buf_append(text, SLICE("... "));
			return;
		}
		struct slice value = labels_unescape(arena, label.value);
		buf_append(text, SLICE("label:{name:"));
		quote_append(text, slice_first(labels_unescape(arena, label.name), SHOWN_BYTES));
		buf_append(text, SLICE(" value:"));
		quote_append(text, slice_first(value, SHOWN_BYTES));
		buf_append(text, SLICE("} "));
	}
}

struct slice describe_excerpt(struct arena *arena, const char *line)
{
	struct slice text = slice_between(line, rawmemchr(line, '\n'));
	return arena_copy(arena, slice_first(text, BATCH_FAULT_LINE_MAX));
}

struct slice describe_group(struct arena *arena, struct slice label_text)
{
	return ARENA_JOIN(arena, SLICE("{"), slice_first(label_text, BATCH_FAULT_LINE_MAX), SLICE("}"));
}

struct slice describe_line(struct arena *arena, struct slice family, enum metric_type type,
		const char *line, struct slice problem)
{
	return describe_sample(arena, family, kinds[type], line, problem);
}

struct slice describe_sample(struct arena *arena, struct slice family, const char *kind,
		const char *line, struct slice problem)
{
	const char *feed = rawmemchr(line, '\n');
	struct slice series = line_series(slice_between(line, feed));
	struct slice value = slice_between(series.ptr + series.len + 1, feed);
	struct buf text;
	buf_init(&text, 0);
	buf_append(&text, SLICE("collected metric "));
	quote_append(&text, slice_first(labels_unescape(arena, family), SHOWN_BYTES));
	buf_append(&text, SLICE(" { "));
	append_labels(&text, arena, series);
	if (kind != NULL) {
		buf_append_string(&text, kind);
		buf_append(&text, SLICE(":{value:"));
		buf_append(&text, slice_first(value, SHOWN_BYTES));
		buf_append_byte(&text, '}');
	}
	buf_append(&text, SLICE("} "));
	buf_append(&text, problem);
	struct slice copy = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}
