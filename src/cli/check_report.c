#include "cli/check_report.h"

#include "base/utf8.h"

void check_report_init(struct check_report *report)
{
	*report = (struct check_report){ 0 };
	arena_init(&report->arena);
}

void check_report_finish(struct check_report *report)
{
	arena_finish(&report->arena);
}

static struct slice copy(struct arena *arena, struct slice text)
{
	return text.len == 0 ? text : arena_copy(arena, text);
}

void check_report_add(struct check_report *report, const struct check_finding *finding)
{
	size_t *count = finding->is_warning ? &report->warning_count : &report->fault_count;
	size_t max = finding->is_warning ? CHECK_WARNINGS_MAX : CHECK_FAULTS_MAX;
	if ((*count)++ >= max) {
		return;
	}
	struct check_finding *kept = &report->findings[report->count++];
	*kept = *finding;
	kept->what = copy(&report->arena, finding->what);
	kept->hint = copy(&report->arena, finding->hint);
	kept->excerpt = copy(&report->arena, finding->excerpt);
}

bool check_report_has_room(const struct check_report *report)
{
	return report->fault_count < CHECK_FAULTS_MAX;
}

static bool comes_before(const struct check_finding *a, const struct check_finding *b)
{
	size_t left = a->line - 1; /* no line is behind all */
	size_t right = b->line - 1;
	return left < right || (left == right && a->column < b->column);
}

void check_report_sort(struct check_report *report)
{
	for (size_t i = 1; i < report->count; i++) {
		struct check_finding finding = report->findings[i];
		size_t place = i;
		while (place > 0 && comes_before(&finding, &report->findings[place - 1])) {
			report->findings[place] = report->findings[place - 1];
			place--;
		}
		report->findings[place] = finding;
	}
}

void check_report_append_printable(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		size_t len = utf8_sequence(text);
		unsigned char first = (unsigned char)text.ptr[0];
		bool is_control = first < 0x20 || first == 0x7f
				|| (len == 2 && first == 0xc2 && (unsigned char)text.ptr[1] < 0xa0);
		buf_append(out, len == 0 || is_control ? SLICE("?") : slice_first(text, len));
		text = slice_skip(text, len == 0 ? 1 : len);
	}
}

static void print_finding(const struct check_finding *finding, const char *file, struct buf *out)
{
	check_report_append_printable(out, slice_of_string(file));
	if (finding->has_offset) {
		buf_printf(out, ": byte %zu", finding->offset);
	} else if (finding->line > 0) {
		buf_printf(out, ":%zu:%zu", finding->line, finding->column);
	}
	buf_append_string(out, finding->is_warning ? ": warning: " : ": ");
	check_report_append_printable(out, finding->what);
	buf_append_byte(out, '\n');
	buf_append(out, finding->excerpt);
	if (finding->hint.len > 0) {
		buf_append_string(out, "hint: ");
		check_report_append_printable(out, finding->hint);
		buf_append_byte(out, '\n');
	}
}

void check_report_print(const struct check_report *report, const char *file, struct buf *out)
{
	for (size_t i = 0; i < report->count; i++) {
		print_finding(&report->findings[i], file, out);
	}
}
