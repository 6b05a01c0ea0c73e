/*
 * weir check: formats told apart, and lines that keep their numbers when others
 * are taken out. What it prints is in tests/integration/test_check.py.
 */

#include "base/hash.h"
#include "check.h"
#include "cli/check_format.h"
#include "cli/check_lines.h"
#include "cli/check_page.h"
#include "guard.h"

enum { BODY_MAX = 1 << 16 };

static struct guard guard;
static struct arena arena;

static enum format_id guess(struct slice body)
{
	return check_format_guess(guard_copy(&guard, body));
}

static void test_guess(void)
{
	static const struct {
		struct slice body;
		enum format_id format;
	} cases[] = {
		{ SLICE_INIT(""), FORMAT_TEXT }, { SLICE_INIT("m 1\n"), FORMAT_TEXT },
		{ SLICE_INIT("\n\n\n\n\n\n\n\n\n\n\n\n"), FORMAT_TEXT },
		{ SLICE_INIT("\n\n# TYPE m gauge\nm 1\n"), FORMAT_TEXT },
		{ SLICE_INIT("{\"m\"} 1\n"), FORMAT_TEXT },
		{ SLICE_INIT("x\n#0123456789012345678901234567890123456789012345678\n"), FORMAT_TEXT },
		{ SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), FORMAT_TEXT },
		{ SLICE_INIT("m 1\n# EOF\n# x\n"), FORMAT_TEXT },
		{ SLICE_INIT("m 1\n # EOF\n"), FORMAT_TEXT }, { SLICE_INIT("# EOF"), FORMAT_OPENMETRICS },
		{ SLICE_INIT("m 1\n# EOF\n"), FORMAT_OPENMETRICS },
		{ SLICE_INIT("m 1\r\n# EOF\r\n"), FORMAT_OPENMETRICS },
		{ SLICE_INIT("\0"), FORMAT_PROTOBUF }, { SLICE_INIT("\5\12\1m\30\1"), FORMAT_PROTOBUF },
		{ SLICE_INIT("\3\12\1m"), FORMAT_PROTOBUF }, { SLICE_INIT("\2\12\0"), FORMAT_PROTOBUF },
		{ SLICE_INIT("\12\12\1m\"\5\42\3\11"), FORMAT_PROTOBUF }, /* cut off */
		{ SLICE_INIT("\2\12\1m"), FORMAT_TEXT },                  /* longer than its message */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int failures = check_failures;
		CHECK_INT(guess(cases[i].body), cases[i].format);
		if (failures != check_failures) {
			fprintf(stderr, "of case %zu\n", i);
		}
		for (size_t len = 0; len < cases[i].body.len; len++) {
			guess(slice_first(cases[i].body, len));
		}
	}
}

static void test_numbers(void)
{
	struct check_lines lines = { .count = 0 };
	CHECK_INT(check_lines_original(&lines, 3), 3);
	static const size_t removed[] = { 5, 2, 3, 9 };
	for (size_t i = 0; i < sizeof(removed) / sizeof(removed[0]); i++) {
		check_lines_remove(&lines, (struct check_line){ .number = removed[i] });
	}
	static const size_t kept[] = { 1, 4, 6, 7, 8, 10, 11 };
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		CHECK_INT(check_lines_original(&lines, i + 1), kept[i]);
	}
	CHECK_INT(check_lines_original(&lines, 0), 0);
	CHECK(check_lines_before(&lines, 2) == NULL);
	CHECK_INT(check_lines_before(&lines, 3)->number, 2);
	CHECK_INT(check_lines_before(&lines, 9)->number, 5);
	CHECK_INT(check_lines_before(&lines, 100)->number, 9);
}

static void test_renumber(void)
{
	static const struct {
		const char *text;
		const char *renumbered;
	} cases[] = {
		{ "", "" },
		{ "no number", "no number" },
		{ "line 1", "line 1" },
		{ "line 2", "line 3" },
		{ "first in line 12, not line 1", "first in line 13, not line 1" },
		{ "line", "line" },
		{ "line ", "line " },
		{ "line x", "line x" },
		{ "\"line 2\" line 2", "\"line 2\" line 3" },
		{ "\"\\\" line 2\" line 2", "\"\\\" line 2\" line 3" },
		{ "found '\"' in line 2", "found '\"' in line 3" },
		{ "weir's line 2", "weir's line 3" },
		{ "\"line 2", "\"line 2" },
		{ "\"\\", "\"\\" },
		{ "'", "'" },
	};
	struct check_lines lines = { .count = 0 };
	CHECK_STRING(check_lines_renumber(&lines, SLICE("line 2"), &arena), "line 2");
	check_lines_remove(&lines, (struct check_line){ .number = 2 });
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = guard_copy(&guard, slice_of_string(cases[i].text));
		CHECK_STRING(check_lines_renumber(&lines, text, &arena), cases[i].renumbered);
	}
}

/* ---- Reports ---- */

static void test_report(void)
{
	struct check_report report;
	struct buf out;
	check_report_init(&report);
	buf_init(&out, 0);
	for (size_t i = 0; i < CHECK_FAULTS_MAX + 5; i++) {
		CHECK_INT(check_report_has_room(&report), i < CHECK_FAULTS_MAX);
		check_report_add(&report, &(struct check_finding){ .what = SLICE("x"), .line = 9 });
	}
	CHECK_INT(report.count, CHECK_FAULTS_MAX);
	CHECK_INT(report.fault_count, CHECK_FAULTS_MAX + 5);
	check_report_finish(&report);

	static const struct check_finding findings[] = {
		{ .what = SLICE_INIT("last"), .is_warning = true },
		{ .what = SLICE_INIT("third"), .line = 2, .column = 1 },
		{ .what = SLICE_INIT("second"), .line = 1, .column = 7, .hint = SLICE_INIT("a hint") },
		{ .what = SLICE_INIT("fir\x1bst\xc2\x9b"), .line = 1, .column = 3, .is_warning = true },
		{ .what = SLICE_INIT("binary"), .has_offset = true, .offset = 12 },
	};
	check_report_init(&report);
	for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++) {
		check_report_add(&report, &findings[i]);
	}
	check_report_sort(&report);
	check_report_print(&report, "a\nb", &out);
	CHECK_SLICE(buf_slice(&out),
			SLICE("a?b:1:3: warning: fir?st?\n"
				  "a?b:1:7: second\n"
				  "hint: a hint\n"
				  "a?b:2:1: third\n"
				  "a?b: warning: last\n"
				  "a?b: byte 12: binary\n"));
	buf_finish(&out);
	check_report_finish(&report);
}

/* ---- Pages ---- */

/* Whatever lines a page has, the search for faults comes to an end. */
static void test_end(void)
{
	static const char *const lines[] = { "m 1\n", "m{a=b} 1\n", "# TYPE m gauge\n", "# TYPE m x\n",
		"# EOF\n", "\n", "# TYPE h histogram\n", "h_bucket{le=\"1\"} 1\n", "h_sum 1\n", "m" };
	enum { LINES = sizeof(lines) / sizeof(lines[0]), LENGTH = 4 };
	size_t pages = 1;
	for (int i = 0; i < LENGTH; i++) {
		pages *= LINES;
	}
	for (size_t number = 0; number < pages; number++) {
		for (enum format_id format = FORMAT_TEXT; format <= FORMAT_OPENMETRICS; format++) {
			struct buf body;
			struct check_page page;
			struct check_report report;
			buf_init(&body, 0);
			for (size_t rest = number, i = 0; i < LENGTH; i++, rest /= LINES) {
				buf_append_string(&body, lines[rest % LINES]);
			}
			check_report_init(&report);
			check_page_init(&page, format, false, &body);
			bool is_read = check_page_read(&page, &report);
			CHECK(is_read || report.fault_count > 0);
			CHECK(is_read || format == FORMAT_OPENMETRICS);
			check_page_place(&page, &report);
			for (size_t i = 1; i < report.count; i++) {
				CHECK(report.findings[i - 1].line < report.findings[i].line);
			}
			check_page_finish(&page);
			check_report_finish(&report);
			buf_finish(&body);
		}
	}
}

int main(void)
{
	hash_init();
	guard_init(&guard, BODY_MAX);
	arena_init(&arena);
	RUN(test_guess);
	RUN(test_numbers);
	RUN(test_renumber);
	RUN(test_report);
	RUN(test_end);
	arena_finish(&arena);
	guard_finish(&guard);
	return check_done();
}
