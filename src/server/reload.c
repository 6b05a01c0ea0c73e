#include "server/reload.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/table.h"
#include "config/value.h"
#include "server/durability.h"
#include "server/lists.h"
#include "server/options.h"
#include "server/server.h"
#include "targets/resolver.h"

void reload_apply(struct server *server)
{
	const struct config *config = server->config;
	struct api_options api = options_of_api(server);
	size_t window = server->http.limits.window;
	struct registry_options targets = options_of_targets(config);
	api_set_options(&server->api, &api, config->jobs);
	registry_set_options(&server->targets, &targets);
	resolver_set_interval(server->resolver, config->targets_dns_interval_ns);
	if (!durability_is_loading(server)) {
		server->store.options.limits = options_of_store(config).limits;
	}
	lists_set_options(server);
	server->http.limits = options_of_http(config);
	server->http.limits.window = window;
	log_configure(config->log_level, config->log_format);
}

/* One line of the log for each line. */
static void log_errors(struct slice errors)
{
	while (errors.len > 0) {
		struct slice line = slice_take_line(&errors);
		log_error("the settings are not reloaded error=" SLICE_FMT, SLICE_ARG(line));
	}
}

static bool values_differ(
		const struct config *a, const struct config *b, const struct setting *setting)
{
	struct buf text_a, text_b;
	buf_init(&text_a, 0);
	buf_init(&text_b, 0);
	value_print(a, setting, &text_a);
	value_print(b, setting, &text_b);
	bool differ = !slice_equal(buf_slice(&text_a), buf_slice(&text_b));
	buf_finish(&text_a);
	buf_finish(&text_b);
	return differ;
}

/* What needs a restart stays as it is in force. */
static void keep_fixed(const struct config *old, struct config *config)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (!settings[i].is_reloadable && values_differ(old, config, &settings[i])) {
			log_warn("a setting was changed that takes effect at the next start setting=%s",
					settings[i].name);
			value_copy(config, old, &settings[i]);
		}
	}
}

static void take(struct server *server, struct config *config)
{
	keep_fixed(server->config, config);
	struct config *old = server->reloaded;
	server->reloaded = config;
	server->config = config;
	reload_apply(server);
	if (old != NULL) {
		config_finish(old);
		free(old);
	}
}

bool reload(struct server *server)
{
	struct config *config = memory_alloc(sizeof(*config));
	struct buf errors;
	buf_init(&errors, 0);
	bool fine = config_read(config, server->input, &errors) == CONFIG_OK
			&& server_check(config, &errors);
	if (fine) {
		take(server, config);
		server->stats.config_reloaded_ns = (uint64_t)clock_wall_ns();
		log_info("the settings are reloaded");
	} else {
		log_errors(buf_slice(&errors));
		config_finish(config);
		free(config);
	}
	server->stats.config_is_good = fine;
	if (web_file_is_used(&server->web_file)) {
		web_file_reload(&server->web_file);
	}
	buf_finish(&errors);
	return fine;
}
