#include "cli/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/hash.h"
#include "cli/import_gateway.h"
#include "cli/import_poster.h"
#include "cli/import_source.h"
#include "cli/progress.h"
#include "cli/remote.h"

enum {
	EXIT_FINE = 0,
	EXIT_FAULTS = 1,
	EXIT_UNUSABLE = 2, /* bad usage, or a source that cannot be opened */
};

static const char command[] = "weir import";

static const char help[] =
		"usage: weir import [<flag> ...] [FILE]\n"
		"\n"
		"Puts groups into a running weir that was started with --web.enable-admin-api:\n"
		"lines that weir export wrote, from FILE or standard input, or all that a running\n"
		"Pushgateway has. Each group replaces what is stored under its key; others stay.\n"
		"\n"
		"  -h, --help                  Show this help.\n" REMOTE_HELP
		"  --newer                     Leave a group as it is when something was pushed to it\n"
		"                              after what would replace it. From a Pushgateway: always.\n"
		"  --from-pushgateway=URL      Where the Pushgateway is, with its prefix if it has one.\n"
		"  --from-user=NAME[:PASSWORD]\n"
		"  --from-password-file=FILE   Its user, as those of weir.\n"
		"  --ttl=DURATION              How long the Pushgateway's groups live from now on, unless\n"
		"                              they are pushed to: 24h. Default: for ever.\n"
		"  --dry-run                   Only read the lines, and say what is wrong with them.\n"
		"  --quiet                     Say nothing but errors.\n"
		"\n"
		"What is refused is told with its line, and the others are taken. The exit code is\n"
		"0 when all was taken, 1 when something was refused, cut or could not be sent, 2\n"
		"when the arguments cannot be understood, or the file or the Pushgateway not be read\n"
		"at all.\n";

struct import {
	struct remote_options where;
	struct import_gateway_options gateway; /* without a URL: a file it is */
	const char *ttl;                       /* of its groups; NULL: not given */
	const char *file;
	bool only_newer;
	bool is_rehearsal;
	bool is_quiet;

	struct import_source *source;
	struct import_poster poster;
	struct progress progress;
};

static void clear_progress(void *data)
{
	progress_clear(data);
}

static void show_progress(struct import *import)
{
	import->progress.groups = import->poster.groups;
	import->progress.series = import->poster.series;
	import->progress.bytes = import->source->bytes;
	progress_show(&import->progress);
}

/* Everything that the source has. False when there was no going on. */
static bool move_all(struct import *import, enum import_source_result *ret_end)
{
	struct slice line;
	enum import_source_result result;
	while ((result = import->source->next(import->source, &line)) == IMPORT_SOURCE_LINE) {
		if (!import_poster_add(&import->poster, line)) {
			return false;
		}
		show_progress(import);
	}
	*ret_end = result;
	return import_poster_flush(&import->poster);
}

static void print_if_any(uint64_t count, const char *what)
{
	if (count > 0) {
		fprintf(stderr, ", %" PRIu64 " %s", count, what);
	}
}

/* imported 1000 groups, 5120 series, 2 refused */
static void sum_up(const struct import *import)
{
	const struct import_poster *poster = &import->poster;
	if (import->is_quiet) {
		return;
	}
	fprintf(stderr, "%s %" PRIu64 " groups, %" PRIu64 " series",
			import->is_rehearsal ? "could read" : "imported", poster->groups, poster->series);
	print_if_any(poster->unchanged, "unchanged");
	print_if_any(poster->kept, "kept since weir's is newer");
	print_if_any(poster->expired, "expired");
	print_if_any(poster->refused, "refused");
	fputc('\n', stderr);
}

static int run(struct import *import, struct remote *remote)
{
	enum import_source_result end = IMPORT_SOURCE_END;
	progress_init(&import->progress, import->is_rehearsal ? "read" : "imported", import->is_quiet);
	import->progress.total = import->source->total;
	import_poster_init(&import->poster, remote, import->source);
	import->poster.only_newer = import->only_newer;
	import->poster.before_message = import->source->before_message = clear_progress;
	import->poster.data = import->source->data = &import->progress;
	bool is_good = move_all(import, &end);
	progress_clear(&import->progress);
	if (end != IMPORT_SOURCE_END) {
		cli_complain(command, "%s: %s", import->source->name, import->source->fault);
		is_good = false;
	}
	if (import->source->sum_up != NULL && !import->is_quiet) {
		import->source->sum_up(import->source);
	}
	is_good = is_good && import->poster.refused == 0 && import->source->faults == 0;
	sum_up(import);
	if (is_good && import->source->hint != NULL && !import->is_rehearsal && !import->is_quiet) {
		fputs(import->source->hint, stderr);
	}
	import_poster_finish(&import->poster);
	return is_good ? EXIT_FINE : EXIT_FAULTS;
}

static struct import_source *open_source(struct import *import)
{
	const char *file = import->file == NULL ? "-" : import->file;
	if (import->gateway.remote.url != NULL) {
		return import_gateway_open(command, &import->gateway);
	}
	struct import_source *source = import_file_open(file);
	if (source == NULL) {
		cli_complain(command, "%s: %s", file, strerror(errno));
	}
	return source;
}

/* Both are at port 9091 by default. */
static bool is_elsewhere(const struct import *import, const struct remote *remote)
{
	if (import->gateway.remote.url == NULL || strcmp(import->source->name, remote->url) != 0) {
		return true;
	}
	cli_complain(command, "where is the weir? %s is the Pushgateway, give --url", remote->url);
	return false;
}

static int open_and_run(struct import *import)
{
	struct remote remote;
	int exit_code = EXIT_UNUSABLE;
	import->source = open_source(import);
	if (import->source == NULL) {
		return EXIT_UNUSABLE;
	}
	if (import->is_rehearsal) {
		exit_code = run(import, NULL);
	} else if (remote_open(&remote, command, &import->where)) {
		exit_code = is_elsewhere(import, &remote) ? run(import, &remote) : EXIT_UNUSABLE;
		remote_close(&remote);
	}
	import->source->close(import->source);
	return exit_code;
}

static bool read_ttl(struct import *import)
{
	enum duration_result result =
			duration_parse(slice_of_string(import->ttl), &import->gateway.ttl_ns);
	if (result != DURATION_OK) {
		cli_complain(command, "--ttl=%s: %s", import->ttl, duration_error(result));
		return false;
	}
	if (import->gateway.ttl_ns <= 0) {
		cli_complain(command, "--ttl=%s: that is no life; without it, groups live for ever",
				import->ttl);
		return false;
	}
	return true;
}

/* Whether flags and file go together. */
static bool settle(struct import *import)
{
	const struct remote_options *gateway = &import->gateway.remote;
	bool has_gateway = gateway->url != NULL;
	if (has_gateway && import->file != NULL) {
		cli_complain(command, "from a Pushgateway or from the file '%s'? one at a time, try --help",
				import->file);
		return false;
	}
	if (!has_gateway
			&& (gateway->user != NULL || gateway->password_file != NULL || import->ttl != NULL)) {
		cli_complain(command, "%s is for --from-pushgateway, try --help",
				import->ttl != NULL ? "--ttl" : "a user to read as");
		return false;
	}
	import->only_newer |= has_gateway;
	import->gateway.remote.cacert = import->where.cacert;
	import->gateway.is_quiet = import->is_quiet;
	return import->ttl == NULL || read_ttl(import);
}

int import_run(size_t argument_count, const char *const *texts)
{
	struct import import = { .file = NULL };
	const struct cli_flag flags[] = {
		REMOTE_FLAGS(import.where),
		{ "--newer", CLI_FLAG_SWITCH, &import.only_newer },
		{ "--from-pushgateway", CLI_FLAG_TEXT, &import.gateway.remote.url },
		{ "--from-user", CLI_FLAG_TEXT, &import.gateway.remote.user },
		{ "--from-password-file", CLI_FLAG_TEXT, &import.gateway.remote.password_file },
		{ "--ttl", CLI_FLAG_TEXT, &import.ttl },
		{ "--dry-run", CLI_FLAG_SWITCH, &import.is_rehearsal },
		{ "--quiet", CLI_FLAG_SWITCH, &import.is_quiet },
	};
	struct cli_arguments arguments = { command, flags, sizeof(flags) / sizeof(flags[0]),
		&import.file, false };
	if (!cli_arguments_read(&arguments, argument_count, texts)) {
		return EXIT_UNUSABLE;
	}
	if (arguments.wants_help) {
		fputs(help, stdout);
		return EXIT_FINE;
	}
	if (!settle(&import)) {
		return EXIT_UNUSABLE;
	}
	hash_init();
	return open_and_run(&import);
}
