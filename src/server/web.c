#include "server/web.h"

#include "api/gate.h"
#include "base/log.h"

void web_apply(struct server *server, const struct web_config *config)
{
	gate_set(&server->gate, config);
	server->http.admit = gate_is_open(&server->gate) ? NULL : gate_admit;
	server->http.admit_data = &server->gate;
}

/* A line each. */
static void log_errors(struct slice errors)
{
	while (errors.len > 0) {
		const char *end = slice_find_byte(errors, '\n');
		struct slice line = end == NULL ? errors : slice_between(errors.ptr, end);
		log_error("bad file flag=--web.config.file error=" SLICE_FMT, SLICE_ARG(line));
		errors = slice_skip(errors, end == NULL ? errors.len : line.len + 1);
	}
}

bool web_load(struct server *server)
{
	const char *path = server->config->web_config_file;
	if (path[0] == '\0') {
		return true;
	}
	struct web_config config;
	struct buf errors;
	buf_init(&errors, 0);
	bool is_read = web_config_read(&config, path, &errors);
	if (is_read && config.tls.is_on) {
		/* Better not at all than in the clear. */
		buf_printf(&errors, "%s: tls_server_config is set, and this weir has no TLS", path);
		is_read = false;
	}
	if (is_read) {
		web_apply(server, &config);
	} else {
		log_errors(buf_slice(&errors));
	}
	web_config_finish(&config);
	buf_finish(&errors);
	return is_read;
}
