#include "cli/export.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "cli/export_watch.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/remote.h"

enum {
	EXIT_FINE = 0,
	EXIT_FAULTS = 1,
	EXIT_UNUSABLE = 2, /* bad usage, or a file that cannot be written */
};

static const char command[] = "weir export";

static const char help[] =
		"usage: weir export [<flag> ...]\n"
		"\n"
		"Writes all that a running weir has stored, as lines of JSON, to standard output.\n"
		"weir import puts them into another one.\n"
		"\n"
		"  -h, --help                  Show this help.\n" REMOTE_HELP
		"  --output=FILE               Write to that file: all of it, or the file stays as it\n"
		"                              was.\n"
		"  --job=JOB                   Only groups of that job. May be repeated.\n"
		"  --quiet                     Say nothing but errors.\n"
		"\n"
		"The exit code is 0 when all of it came, 1 when it did not, 2 when the arguments\n"
		"cannot be understood or the file cannot be written.\n";

struct export
{
	struct remote_options where;
	const char *output;
	struct cli_list jobs;
	bool is_quiet;

	struct remote remote;
	struct output_file file;
	int fault; /* errno of the file; 0: none */
	struct export_watch watch;
	struct progress progress;
};

static bool on_data(void *data, struct slice bytes)
{
	struct export *export = data;
	export->fault = output_file_write(&export->file, bytes);
	export_watch_bytes(&export->watch, bytes);
	export->progress.groups = export->watch.lines;
	export->progress.bytes += bytes.len;
	progress_show(&export->progress);
	return export->fault == 0;
}

/* /api/v1/export?job=a&job=b */
static void append_path(const struct export *export, struct buf *path)
{
	buf_append_string(path, "/api/v1/export");
	for (size_t i = 0; i < export->jobs.count; i++) {
		char *job = curl_easy_escape(export->remote.curl, export->jobs.texts[i], 0);
		buf_append_string(path, i == 0 ? "?job=" : "&job=");
		buf_append_string(path, job == NULL ? "" : job);
		curl_free(job);
	}
	buf_append_byte(path, '\0');
}

static int complain_about_file(const struct export *export, int fault)
{
	const char *name = export->output == NULL ? "standard output" : export->output;
	cli_complain(command, "%s: %s", name, strerror(fault));
	return EXIT_UNUSABLE;
}

/* Whether all of it came. */
static bool receive(struct export *export)
{
	struct buf path;
	struct buf text;
	buf_init(&path, 0);
	buf_init(&text, 0);
	append_path(export, &path);
	long status = remote_get(&export->remote, path.ptr, on_data, export, &text);
	progress_clear(&export->progress);
	bool is_whole = status == 200 && export_watch_is_whole(&export->watch);
	if (export->fault == 0 && status != 200) {
		remote_complain(&export->remote, "cannot export", status, buf_slice(&text));
	} else if (export->fault == 0 && !is_whole) {
		cli_complain(command, "the export of %s was cut after %" PRIu64 " groups",
				export->remote.url, export->watch.lines);
	}
	buf_finish(&path);
	buf_finish(&text);
	return is_whole;
}

static void sum_up(const struct export *export)
{
	const struct line_counts *counts = &export->watch.end;
	if (export->is_quiet) {
		return;
	}
	fprintf(stderr, "exported %" PRIu64 " groups, %" PRIu64 " series, %" PRIu64 " bytes\n",
			counts->groups, counts->series, export->progress.bytes);
	if (counts->left_out > 0) {
		fprintf(stderr, "%" PRIu64 " families were left out: no page can show them\n",
				counts->left_out);
	}
}

static int run(struct export *export)
{
	export->fault = output_file_open(&export->file, export->output);
	if (export->fault != 0) {
		return complain_about_file(export, export->fault);
	}
	progress_init(&export->progress, "exported", export->is_quiet);
	export_watch_init(&export->watch);
	bool is_whole = receive(export);
	if (export->fault == 0 && is_whole) {
		export->fault = output_file_commit(&export->file);
	} else {
		output_file_abandon(&export->file);
	}
	export_watch_finish(&export->watch);
	if (export->fault != 0) {
		return complain_about_file(export, export->fault);
	}
	if (is_whole) {
		sum_up(export);
	}
	return is_whole ? EXIT_FINE : EXIT_FAULTS;
}

int export_run(size_t argument_count, const char *const *texts)
{
	struct export export = { .output = NULL };
	const struct cli_flag flags[] = {
		REMOTE_FLAGS(export.where),
		{ "--output", CLI_FLAG_TEXT, &export.output },
		{ "--job", CLI_FLAG_LIST, &export.jobs },
		{ "--quiet", CLI_FLAG_SWITCH, &export.is_quiet },
	};
	struct cli_arguments arguments = { command, flags, sizeof(flags) / sizeof(flags[0]), NULL,
		false };
	int exit_code = EXIT_UNUSABLE;
	hash_init();
	if (cli_arguments_read(&arguments, argument_count, texts)) {
		if (arguments.wants_help) {
			fputs(help, stdout);
			exit_code = EXIT_FINE;
		} else if (remote_open(&export.remote, command, &export.where)) {
			exit_code = run(&export);
			remote_close(&export.remote);
		}
	}
	cli_list_finish(&export.jobs);
	return exit_code;
}
