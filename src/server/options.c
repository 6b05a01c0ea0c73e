#include "server/options.h"

#include "config/web_paths.h"
#include "server/quit.h"

struct store_options options_of_store(const struct config *config)
{
	return (struct store_options){
		.limits = {
			.groups = config->limit_groups,
			.series = config->limit_series,
			.series_per_group = config->limit_series_per_group,
			.label_sets = config->limit_label_sets,
			.bytes = config->limit_stored_bytes,
		},
		.is_checked = !config->push_disable_consistency_check,
	};
}

struct registry_options options_of_targets(const struct config *config)
{
	return (struct registry_options){
		.only_known = config->targets_register == CONFIG_REGISTER_KNOWN,
		.limit = config->targets_limit,
		.silent_after = config->targets_silent_after,
		.retention_ns = config->targets_retention_ns,
	};
}

struct api_options options_of_api(struct server *server)
{
	const struct config *config = server->config;
	return (struct api_options){
		.config = config,
		.routes = {
			.prefix = slice_of_string(config->web_route_prefix),
			.scrape_path = slice_of_string(config->web_telemetry_path),
			.has_admin = config->web_enable_admin_api,
		},
		.link_prefix = web_paths_of_url(config->web_external_url),
		.quit = config->web_enable_lifecycle ? quit_on_request : NULL,
		.quit_data = server,
		.openmetrics = config->web_openmetrics,
		.is_checked = !config->push_disable_consistency_check,
		.ttl_ns = config->group_ttl_ns,
		.ttl_max_ns = config->group_ttl_max_ns,
		.body_bytes = config->limit_body_bytes,
		.format_options = {
			.samples = config->limit_series_per_group,
			.labels = config->limit_labels,
			.label_bytes = config->limit_label_bytes,
			.utf8_names = config->push_enable_utf8_names,
		},
	};
}

struct http_limits options_of_http(const struct config *config)
{
	return (struct http_limits){
		.header_bytes = config->limit_header_bytes,
		.body_bytes = config->limit_body_bytes,
		.connections = config->limit_connections,
	};
}
