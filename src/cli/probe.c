#include "cli/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/hash.h"
#include "cli/probe_self.h"
#include "cli/remote.h"

enum {
	EXIT_FINE = 0,
	EXIT_NOT_READY = 1,
	EXIT_UNUSABLE = 2, /* the arguments or settings */
};

enum { SECOND_MS = 1000, DEFAULT_TIMEOUT_MS = 5 * SECOND_MS };

static const char command[] = "weir probe";

static const char help[] =
		"usage: weir probe [<flag> ...] [URL]\n"
		"\n"
		"Asks a weir whether it is ready: that of the URL, or without one that which has\n"
		"the settings of the environment (WEIR_WEB_LISTEN_ADDRESS, WEIR_CONFIG_FILE, ...)\n"
		"and of the flags below, on this machine. Says nothing when it is.\n"
		"\n"
		"  -h, --help                  Show this help.\n"
		"  --healthy                   Ask whether it runs, be it that it still loads.\n"
		"  --timeout=DURATION          Wait so long for the answer. Default: 5s\n"
		"  --user=NAME[:PASSWORD]      For basic auth; or in the URL. Others see what is on a\n"
		"                              command line.\n"
		"  --password-file=FILE        Its first line is the user's password.\n"
		"  --token-file=FILE           Its first line is a bearer token, instead of a user.\n"
		"  --cacert=FILE               Certificates to trust, in PEM; for https. A weir that\n"
		"                              is found by its settings needs none.\n"
		"  --web.listen-address=ADDRESS, --web.route-prefix=PREFIX, --web.external-url=URL,\n"
		"  --web.config.file=FILE, --config.file=FILE\n"
		"                              The settings of the weir, as it has them itself. Of\n"
		"                              several addresses the first is asked.\n"
		"\n"
		"The exit code is 0 when it is ready (or runs), 1 when it is not, or does not\n"
		"answer, 2 when the arguments or settings are of no use.\n";

struct probe {
	struct remote_options where;
	struct probe_settings settings;
	const char *timeout;
	bool wants_healthy;
	long timeout_ms;
};

static bool read_timeout(struct probe *probe)
{
	int64_t ns;
	probe->timeout_ms = DEFAULT_TIMEOUT_MS;
	if (probe->timeout == NULL) {
		return true;
	}
	enum duration_result result = duration_parse(slice_of_string(probe->timeout), &ns);
	if (result != DURATION_OK) {
		cli_complain(command, "bad value '%s' for --timeout: %s", probe->timeout,
				duration_error(result));
		return false;
	}
	if (ns < 1000 * 1000 || ns > INT64_C(3600) * 1000 * 1000 * 1000) {
		cli_complain(command, "bad value '%s' for --timeout: it may be 1ms to 1h", probe->timeout);
		return false;
	}
	probe->timeout_ms = (long)(ns / (1000 * 1000));
	return true;
}

static bool has_settings(const struct probe_settings *settings)
{
	return settings->addresses.count > 0 || settings->route_prefix != NULL
			|| settings->external_url != NULL || settings->web_config_file != NULL
			|| settings->config_file != NULL;
}

static int ask(const struct probe *probe, struct remote *remote)
{
	struct buf text;
	buf_init(&text, 0);
	curl_easy_setopt(remote->curl, CURLOPT_TIMEOUT_MS, probe->timeout_ms);
	long status =
			remote_get(remote, probe->wants_healthy ? "/-/healthy" : "/-/ready", NULL, NULL, &text);
	if (status != 200) {
		remote_complain(remote, probe->wants_healthy ? "not healthy:" : "not ready:", status,
				buf_slice(&text));
	}
	buf_finish(&text);
	return status == 200 ? EXIT_FINE : EXIT_NOT_READY;
}

static int ask_url(const struct probe *probe)
{
	struct remote remote;
	if (has_settings(&probe->settings)) {
		cli_complain(command, "either a URL or settings of the weir, not both");
		return EXIT_UNUSABLE;
	}
	if (!remote_open(&remote, command, &probe->where)) {
		return EXIT_UNUSABLE;
	}
	int exit_code = ask(probe, &remote);
	remote_close(&remote);
	return exit_code;
}

/*
 * Its certificate is for the name by which others know it, which is not the
 * address that it is asked by. Who could stand in for it there is this machine.
 */
static void trust(CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
}

static void go_by_socket(CURL *curl, const char *path)
{
	if (path[0] == '@') {
		curl_easy_setopt(curl, CURLOPT_ABSTRACT_UNIX_SOCKET, path + 1);
	} else if (path[0] != '\0') {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, path);
	}
}

static int ask_self(struct probe *probe)
{
	struct probe_self self;
	struct remote remote;
	int exit_code = EXIT_UNUSABLE;
	if (!probe_self_find(&self, command, &probe->settings)) {
		return exit_code;
	}
	probe->where.url = self.url.ptr;
	if (remote_open(&remote, command, &probe->where)) {
		if (self.is_tls && probe->where.cacert == NULL) {
			trust(remote.curl);
		}
		go_by_socket(remote.curl, self.socket.ptr);
		curl_easy_setopt(remote.curl, CURLOPT_PROXY, "");
		exit_code = ask(probe, &remote);
		remote_close(&remote);
	}
	probe_self_finish(&self);
	return exit_code;
}

int probe_run(size_t argument_count, const char *const *texts)
{
	struct probe probe = { .timeout = NULL };
	const struct cli_flag flags[] = {
		{ "--healthy", CLI_FLAG_SWITCH, &probe.wants_healthy },
		{ "--timeout", CLI_FLAG_TEXT, &probe.timeout },
		{ "--user", CLI_FLAG_TEXT, &probe.where.user },
		{ "--password-file", CLI_FLAG_TEXT, &probe.where.password_file },
		{ "--token-file", CLI_FLAG_TEXT, &probe.where.token_file },
		{ "--cacert", CLI_FLAG_TEXT, &probe.where.cacert },
		{ "--web.listen-address", CLI_FLAG_LIST, &probe.settings.addresses },
		{ "--web.route-prefix", CLI_FLAG_TEXT, &probe.settings.route_prefix },
		{ "--web.external-url", CLI_FLAG_TEXT, &probe.settings.external_url },
		{ "--web.config.file", CLI_FLAG_TEXT, &probe.settings.web_config_file },
		{ "--config.file", CLI_FLAG_TEXT, &probe.settings.config_file },
	};
	struct cli_arguments arguments = { command, flags, sizeof(flags) / sizeof(flags[0]),
		&probe.where.url, false };
	int exit_code = EXIT_UNUSABLE;
	hash_init();
	if (cli_arguments_read(&arguments, argument_count, texts)) {
		if (arguments.wants_help) {
			fputs(help, stdout);
			exit_code = EXIT_FINE;
		} else if (read_timeout(&probe)) {
			exit_code = probe.where.url != NULL ? ask_url(&probe) : ask_self(&probe);
		}
	}
	cli_list_finish(&probe.settings.addresses);
	return exit_code;
}
