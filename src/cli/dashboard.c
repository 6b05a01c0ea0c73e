#include "cli/dashboard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dashboard_board.h"
#include "cli/flags.h"
#include "cli/flow_read.h"

enum {
	EXIT_FINE = 0,
	EXIT_FAULTS = 1,
	EXIT_UNUSABLE = 2, /* bad usage, or nowhere to print to */
};

static const char command[] = "weir dashboard";

static const char help[] =
		"usage: weir dashboard [<flag> ...] FLOW.yml\n"
		"\n"
		"Prints a dashboard for Grafana of a flow: its hosts and switches, how they are\n"
		"linked, and what is measured of them. FLOW.yml may be - for standard input. The\n"
		"same flow gives the same dashboard, which takes the place of the one before.\n"
		"\n"
		"  -h, --help                  Show this help.\n"
		"  --diagram=KIND              text or plugin: draw the topology by the plugin\n"
		"                              jdbranham-diagram-panel, which has to be installed.\n"
		"                              Default: text, which every Grafana shows.\n"
		"\n"
		"No network is used, and no token that the file may have is read. The exit code is 0\n"
		"when the dashboard was printed, 1 when the file cannot be read or is wrong, 2 when\n"
		"the arguments cannot be understood or nothing can be printed.\n";

/* Each line of the text. */
static void say(const char *kind, struct slice lines)
{
	while (lines.len > 0) {
		struct slice line = slice_take_line(&lines);
		fprintf(stderr, "%s: %s: " SLICE_FMT "\n", command, kind, SLICE_ARG(line));
	}
}

static int print(const char *text)
{
	bool is_printed = text != NULL && puts(text) >= 0 && fflush(stdout) == 0;
	if (!is_printed) {
		cli_complain(command, "standard output: %s", strerror(text == NULL ? ENOMEM : errno));
	}
	return is_printed ? EXIT_FINE : EXIT_UNUSABLE;
}

static int run(const char *file, enum board_diagram diagram)
{
	const char *path = strcmp(file, "-") == 0 ? "/dev/stdin" : file;
	int exit_code = EXIT_FAULTS;
	struct buf errors;
	struct buf warnings;
	struct flow flow;
	buf_init(&errors, 0);
	buf_init(&warnings, 0);
	bool is_fine = flow_read(&flow, path, &errors, &warnings);
	say("warning", buf_slice(&warnings));
	say("error", buf_slice(&errors));
	if (is_fine) {
		char *text = board_print(&flow, diagram);
		exit_code = print(text);
		free(text);
	}
	flow_finish(&flow);
	buf_finish(&errors);
	buf_finish(&warnings);
	return exit_code;
}

static bool find_diagram(const char *name, enum board_diagram *ret_diagram)
{
	bool is_plugin = name != NULL && strcmp(name, "plugin") == 0;
	if (name != NULL && !is_plugin && strcmp(name, "text") != 0) {
		cli_complain(command, "--diagram must be text or plugin, not '%s'", name);
		return false;
	}
	*ret_diagram = is_plugin ? BOARD_PLUGIN : BOARD_TEXT;
	return true;
}

int dashboard_run(size_t argument_count, const char *const *texts)
{
	const char *file = NULL;
	const char *diagram_name = NULL;
	enum board_diagram diagram;
	const struct cli_flag flags[] = {
		{ "--diagram", CLI_FLAG_TEXT, &diagram_name },
	};
	struct cli_arguments arguments = { command, flags, sizeof(flags) / sizeof(flags[0]), &file,
		false };
	if (!cli_arguments_read(&arguments, argument_count, texts)) {
		return EXIT_UNUSABLE;
	}
	if (arguments.wants_help) {
		fputs(help, stdout);
		return EXIT_FINE;
	}
	if (!find_diagram(diagram_name, &diagram)) {
		return EXIT_UNUSABLE;
	}
	if (file == NULL) {
		cli_complain(command, "no file, try --help");
		return EXIT_UNUSABLE;
	}
	return run(file, diagram);
}
