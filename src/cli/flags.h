#pragma once

/*
 * Arguments of a subcommand, read by a table of its flags:
 *
 *     --name=VALUE   --name VALUE   --switch   FILE   -- FILE
 */

#include <stdbool.h>
#include <stddef.h>

enum cli_flag_kind {
	CLI_FLAG_SWITCH, /* target: bool */
	CLI_FLAG_TEXT,   /* target: const char *; at most once */
	CLI_FLAG_LIST,   /* target: struct cli_list; as often as one likes */
};

struct cli_list {
	const char **texts;
	size_t count;
};

struct cli_flag {
	const char *name; /* "--url" */
	enum cli_flag_kind kind;
	void *target;
};

struct cli_arguments {
	const char *command; /* for messages: "weir export" */
	const struct cli_flag *flags;
	size_t flag_count;
	const char **file; /* the argument that is no flag; NULL: there is none */
	bool wants_help;   /* set by --help and -h, whatever is behind them */
};

/* False when they cannot be understood, which has been said on stderr. */
bool cli_arguments_read(struct cli_arguments *arguments, size_t count, const char *const *texts);
void cli_list_finish(struct cli_list *list);

/* weir export: error: TEXT */
void cli_complain(const char *command, const char *format, ...)
		__attribute__((format(printf, 2, 3)));
