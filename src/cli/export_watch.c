#include "cli/export_watch.h"

#include "transfer/line_read.h"

enum { LINE_BYTES = 1024 }; /* more than an end has */

void export_watch_init(struct export_watch *watch)
{
	*watch = (struct export_watch){ .lines = 0 };
	buf_init(&watch->line, 0);
}

void export_watch_finish(struct export_watch *watch)
{
	buf_finish(&watch->line);
}

static void read_end(struct export_watch *watch)
{
	struct arena arena;
	struct line line;
	struct line_error error;
	arena_init(&arena);
	watch->has_end =
			line_read(buf_slice(&watch->line), &arena, &line, &error) && line.kind == LINE_END;
	if (watch->has_end) {
		watch->end = line.counts;
	}
	arena_finish(&arena);
}

static void end_line(struct export_watch *watch)
{
	struct slice line = buf_slice(&watch->line);
	watch->has_end = false;
	if (slice_starts_with(line, SLICE("{\"labels\":"))) {
		watch->lines++;
	} else if (slice_starts_with(line, SLICE("{\"weir_export_end\":"))) {
		read_end(watch);
	}
	buf_reset(&watch->line, LINE_BYTES);
}

void export_watch_bytes(struct export_watch *watch, struct slice bytes)
{
	while (bytes.len > 0) {
		const char *feed = slice_find_byte(bytes, '\n');
		struct slice piece = slice_take_line(&bytes);
		size_t room = watch->line.len < LINE_BYTES ? LINE_BYTES - watch->line.len : 0;
		buf_append(&watch->line, slice_first(piece, room));
		if (feed != NULL) {
			end_line(watch);
		}
	}
}

bool export_watch_is_whole(const struct export_watch *watch)
{
	return watch->has_end && watch->line.len == 0 && watch->end.lines == watch->lines;
}
