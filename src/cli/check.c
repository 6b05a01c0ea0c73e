#include "cli/check.h"

#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "cli/check_format.h"
#include "cli/check_input.h"
#include "cli/check_lint.h"
#include "cli/check_page.h"

enum {
	EXIT_FINE = 0,
	EXIT_FAULTS = 1,
	EXIT_UNUSABLE = 2, /* bad usage, or a file that cannot be read */
};

static const char help[] =
		"usage: weir check [<flag> ...] FILE\n"
		"\n"
		"Says what is wrong with a page of metrics before it is pushed or scraped. FILE\n"
		"may be - for standard input.\n"
		"\n"
		"  -h, --help                  Show this help.\n"
		"  --format=FORMAT             text, openmetrics or protobuf. Without, it is guessed:\n"
		"                              what ends in # EOF is OpenMetrics, what begins\n"
		"                              with the length of a message is protobuf.\n"
		"  --push.enable-utf8-names    Names may be any UTF-8, as with this flag of\n"
		"                              weir's.\n"
		"\n"
		"Faults and warnings go to stderr. The exit code is 0 when there are at most\n"
		"warnings, 1 when there are faults, 2 when the file cannot be read or the\n"
		"arguments not be understood.\n";

struct check_arguments {
	const char *file;
	const char *format; /* NULL: to be guessed */
	bool utf8_names;
	bool wants_help;
};

/* ---- Arguments ---- */

static bool complain(const char *what, const char *argument)
{
	fprintf(stderr, "weir check: error: %s", what);
	if (argument != NULL) {
		fprintf(stderr, " '%s'", argument);
	}
	fprintf(stderr, ", try --help\n");
	return false;
}

static bool set_format(struct check_arguments *arguments, const char *name)
{
	enum format_id ignored;
	if (arguments->format != NULL) {
		return complain("flag '--format' cannot be repeated", NULL);
	}
	if (!check_format_find(name, &ignored)) {
		return complain("unknown format", name);
	}
	arguments->format = name;
	return true;
}

/* *next is behind the flag before and behind its value after. */
static bool read_flag(struct check_arguments *arguments, const char *flag, const char *const **next,
		const char *const *end)
{
	static const char format_flag[] = "--format=";
	if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0) {
		arguments->wants_help = true;
		return true;
	}
	if (strcmp(flag, "--push.enable-utf8-names") == 0) {
		arguments->utf8_names = true;
		return true;
	}
	if (strncmp(flag, format_flag, sizeof(format_flag) - 1) == 0) {
		return set_format(arguments, flag + sizeof(format_flag) - 1);
	}
	if (strcmp(flag, "--format") != 0) {
		return complain("unknown flag", flag);
	}
	return *next == end ? complain("expected argument for flag", flag)
						: set_format(arguments, *(*next)++);
}

static bool set_file(struct check_arguments *arguments, const char *file)
{
	if (arguments->file != NULL) {
		return complain("one file at a time, unexpected", file);
	}
	arguments->file = file;
	return true;
}

static bool read_arguments(
		struct check_arguments *arguments, const char *const *next, const char *const *end)
{
	bool has_flags = true;
	bool ok = true;
	while (ok && next != end && !arguments->wants_help) {
		const char *argument = *next++;
		if (has_flags && strcmp(argument, "--") == 0) {
			has_flags = false;
		} else if (has_flags && argument[0] == '-' && argument[1] != '\0') {
			ok = read_flag(arguments, argument, &next, end);
		} else {
			ok = set_file(arguments, argument);
		}
	}
	return ok && (arguments->wants_help || arguments->file != NULL || complain("no file", NULL));
}

/* ---- The page ---- */

static const char *plural(size_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

static void append_count(struct buf *out, size_t count, const char *one, const char *many)
{
	buf_printf(out, "%zu %s", count, plural(count, one, many));
}

/* FILE: 12 families, 340 samples, openmetrics: ok */
static void append_fine(struct buf *out, const struct check_page *page,
		const struct check_report *report, const char *file)
{
	check_report_append_printable(out, slice_of_string(file));
	buf_append_string(out, ": ");
	append_count(out, page->batch.family_count, "family", "families");
	buf_append_string(out, ", ");
	append_count(out, page->batch.sample_count, "sample", "samples");
	buf_printf(out, ", %s: ok", formats[page->format].name);
	if (report->warning_count > 0) {
		buf_append_string(out, ", ");
		append_count(out, report->warning_count, "warning", "warnings");
	}
	buf_append_byte(out, '\n');
}

/* FILE: 2 faults, 1 warning, read as text */
static void append_faulty(struct buf *out, const struct check_page *page,
		const struct check_report *report, const char *file)
{
	check_report_append_printable(out, slice_of_string(file));
	buf_append_string(out, ": ");
	if (report->fault_count > CHECK_FAULTS_MAX) {
		buf_append_string(out, "too many faults");
	} else {
		append_count(out, report->fault_count, "fault", "faults");
	}
	if (report->warning_count > 0) {
		buf_append_string(out, ", ");
		append_count(out, report->warning_count, "warning", "warnings");
	}
	buf_printf(out, ", read as %s%s\n", formats[page->format].name,
			page->is_cut ? "; there may be more" : "");
}

/* Prints what was found and answers the exit code. */
static int show(const struct check_page *page, const struct check_report *report, const char *file)
{
	struct buf findings;
	struct buf verdict;
	bool is_fine = report->fault_count == 0;
	buf_init(&findings, 0);
	buf_init(&verdict, 0);
	check_report_print(report, file, &findings);
	if (is_fine) {
		append_fine(&verdict, page, report, file);
	} else {
		append_faulty(&verdict, page, report, file);
	}
	fwrite(findings.ptr, 1, findings.len, stderr);
	fwrite(verdict.ptr, 1, verdict.len, is_fine ? stdout : stderr);
	buf_finish(&findings);
	buf_finish(&verdict);
	return is_fine ? EXIT_FINE : EXIT_FAULTS;
}

static int check_file(const struct check_arguments *arguments, struct buf *body)
{
	struct check_page page;
	struct check_report report;
	bool is_stdin = strcmp(arguments->file, "-") == 0;
	enum format_id format = check_format_guess(buf_slice(body));
	if (arguments->format != NULL) {
		check_format_find(arguments->format, &format);
	}
	check_report_init(&report);
	check_page_init(&page, format, arguments->utf8_names, body);
	if (check_page_read(&page, &report)) {
		check_lint(&page, &report);
	}
	check_page_place(&page, &report);
	int exit_code = show(&page, &report, is_stdin ? "<stdin>" : arguments->file);
	check_page_finish(&page);
	check_report_finish(&report);
	return exit_code;
}

int check_run(size_t argument_count, const char *const *arguments)
{
	struct check_arguments read = { 0 };
	struct buf body;
	if (!read_arguments(&read, arguments, arguments + argument_count)) {
		return EXIT_UNUSABLE;
	}
	if (read.wants_help) {
		fputs(help, stdout);
		return EXIT_FINE;
	}
	hash_init();
	int status = check_input_read(read.file, &body);
	int exit_code = EXIT_UNUSABLE;
	if (status == 0) {
		exit_code = check_file(&read, &body);
	} else if (status == -EFBIG) {
		fprintf(stderr, "weir check: error: %s is larger than %d MiB\n", read.file,
				CHECK_INPUT_MAX_MIB);
	} else {
		fprintf(stderr, "weir check: error: %s: %s\n", read.file, strerror(-status));
	}
	buf_finish(&body);
	return exit_code;
}
