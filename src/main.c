#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/check.h"
#include "cli/dashboard.h"
#include "cli/export.h"
#include "cli/import.h"
#include "cli/probe.h"
#include "config/config.h"
#include "server/server.h"
#include "server/signals.h"

static int run(const struct config *config, const struct config_input *input)
{
	log_configure(config->log_level, config->log_format);
	return server_run(config, input);
}

/* Each line under the name that weir was called by, as scripts know it of a Pushgateway. */
static void print_errors(struct slice errors)
{
	while (errors.len > 0) {
		struct slice line = slice_take_line(&errors);
		fprintf(stderr, "%s: error: " SLICE_FMT "\n", program_invocation_short_name,
				SLICE_ARG(line));
	}
}

static int serve(int argument_count, const char *const *arguments)
{
	struct config config;
	struct buf text;
	struct config_input input = {
		.argument_count = argument_count,
		.arguments = arguments,
		.environment = (const char *const *)environ,
	};
	buf_init(&text, 0);
	signals_hold();
	enum config_result result = config_read(&config, &input, &text);
	if ((result == CONFIG_OK || result == CONFIG_CHECK) && !server_check(&config, &text)) {
		result = CONFIG_E_INVALID;
	}
	if (result == CONFIG_CHECK && !server_check_files(&config, &text)) {
		result = CONFIG_E_INVALID;
	}
	int exit_code = 0;
	switch (result) {
	case CONFIG_OK:
		exit_code = run(&config, &input);
		break;
	case CONFIG_CHECK:
		puts("the settings are good");
		break;
	case CONFIG_SHOWN:
		fwrite(text.ptr, 1, text.len, stdout);
		break;
	case CONFIG_E_INVALID:
		print_errors(buf_slice(&text));
		exit_code = 1;
		break;
	}
	config_finish(&config);
	buf_finish(&text);
	return exit_code;
}

static const struct {
	const char *name;
	int (*run)(size_t argument_count, const char *const *arguments);
} subcommands[] = {
	{ "check", check_run },
	{ "dashboard", dashboard_run },
	{ "export", export_run },
	{ "import", import_run },
	{ "probe", probe_run },
};

int main(int argc, char **argv)
{
	const char *const *arguments = (const char *const *)(argv + 1);
	int count = argc - 1;
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]) && count > 0; i++) {
		if (strcmp(arguments[0], subcommands[i].name) == 0) {
			return subcommands[i].run((size_t)count - 1, arguments + 1);
		}
	}
	return serve(count, arguments);
}
