#include "cli/probe_self.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/config.h"
#include "config/web_config.h"
#include "net/address.h"

/* ---- The settings ---- */

struct arguments {
	const char **texts;
	size_t count;
};

static void add(struct arguments *arguments, const char *flag, const char *value)
{
	if (value == NULL) {
		return;
	}
	arguments->texts = memory_resize(arguments->texts, (arguments->count + 2) * sizeof(char *));
	arguments->texts[arguments->count++] = flag;
	arguments->texts[arguments->count++] = value;
}

static void print_faults(const char *command, struct slice faults)
{
	while (faults.len > 0) {
		struct slice line = slice_take_line(&faults);
		cli_complain(command, SLICE_FMT, SLICE_ARG(line));
	}
}

static bool read_config(
		struct config *config, const char *command, const struct probe_settings *settings)
{
	struct arguments arguments = { memory_alloc(sizeof(char *)), 0 };
	struct buf text;
	buf_init(&text, 0);
	for (size_t i = 0; i < settings->addresses.count; i++) {
		add(&arguments, "--web.listen-address", settings->addresses.texts[i]);
	}
	add(&arguments, "--web.route-prefix", settings->route_prefix);
	add(&arguments, "--web.external-url", settings->external_url);
	add(&arguments, "--web.config.file", settings->web_config_file);
	add(&arguments, "--config.file", settings->config_file);
	struct config_input input = {
		.argument_count = (int)arguments.count,
		.arguments = arguments.texts,
		.environment = (const char *const *)environ,
	};
	bool is_read = config_read(config, &input, &text) == CONFIG_OK;
	if (!is_read) {
		print_faults(command, buf_slice(&text));
	}
	free(arguments.texts);
	buf_finish(&text);
	return is_read;
}

static bool read_web_config(const char *command, const char *path, bool *ret_is_tls)
{
	struct web_config web;
	struct buf errors;
	if (path[0] == '\0') {
		*ret_is_tls = false;
		return true;
	}
	buf_init(&errors, 0);
	bool is_read = web_config_read(&web, path, &errors);
	if (is_read) {
		*ret_is_tls = web.tls.is_on;
	} else {
		print_faults(command, buf_slice(&errors));
	}
	web_config_finish(&web);
	buf_finish(&errors);
	return is_read;
}

/* ---- The URL ---- */

/* Who listens on every interface is asked by the loopback. */
static const char *host_to_ask(const char *host)
{
	if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0) {
		return "127.0.0.1";
	}
	return strcmp(host, "::") == 0 ? "::1" : host;
}

static void append_tcp(struct buf *url, const struct address *address)
{
	const char *host = host_to_ask(address->host);
	bool is_ipv6 = strchr(host, ':') != NULL;
	buf_printf(url, "%s%s%s:%" PRIu32, is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", address->port);
}

static bool append_place(
		struct probe_self *self, const char *command, const struct address *address)
{
	switch (address->kind) {
	case ADDRESS_UNIX:
		buf_append_string(&self->url, "localhost");
		buf_append_string(&self->socket, address->host);
		return true;
	case ADDRESS_VSOCK:
		cli_complain(command, "a vsock cannot be asked; give the URL of another address");
		return false;
	case ADDRESS_TCP:
		if (address->port == 0) {
			cli_complain(
					command, "which port it got for port 0 only that weir knows; give its URL");
			return false;
		}
		append_tcp(&self->url, address);
		return true;
	}
	return false;
}

static bool make_url(struct probe_self *self, const char *command, const struct config *config)
{
	struct address address;
	const char *what;
	if (config->web_systemd_socket) {
		cli_complain(command, "where systemd has it listen its settings do not say; give its URL");
		return false;
	}
	const char *text = config->web_listen_address.items[0];
	if (!address_parse(slice_of_string(text), &address, &what)) {
		cli_complain(command, "bad value '%s' for 'web.listen-address': %s", text, what);
		return false;
	}
	buf_append_string(&self->url, self->is_tls ? "https://" : "http://");
	if (!append_place(self, command, &address)) {
		return false;
	}
	buf_append_string(&self->url, config->web_route_prefix);
	buf_append_byte(&self->url, '\0');
	buf_append_byte(&self->socket, '\0');
	return true;
}

bool probe_self_find(
		struct probe_self *self, const char *command, const struct probe_settings *settings)
{
	struct config config;
	buf_init(&self->url, 0);
	buf_init(&self->socket, 0);
	self->is_tls = false;
	bool is_found = read_config(&config, command, settings)
			&& read_web_config(command, config.web_config_file, &self->is_tls)
			&& make_url(self, command, &config);
	config_finish(&config);
	if (!is_found) {
		probe_self_finish(self);
	}
	return is_found;
}

void probe_self_finish(struct probe_self *self)
{
	buf_finish(&self->url);
	buf_finish(&self->socket);
}
