#include "server/collect.h"

#include <string.h>

#include "server/durability.h"
#include "server/keep_targets.h"
#include "server/lists.h"
#include "targets/resolver.h"

static void collect_limits(struct server *server, struct stats *stats)
{
	const struct config *config = server->config;
	const struct contents *contents = server->store.contents;
	const uint64_t *refused = server->store.counters.refused;
	const uint64_t *unparsed = server->api.format_refused;
	const struct http_counters *http = &server->http.counters;
	const struct stats_limit_values values[STATS_LIMIT_COUNT] = {
		[STATS_LIMIT_BODY_BYTES] = { config->limit_body_bytes, 0, http->bodies_too_large },
		[STATS_LIMIT_CONNECTIONS] = { config->limit_connections, http->connections_open,
				http->connections_refused },
		[STATS_LIMIT_GROUPS] = { config->limit_groups, contents->group_count,
				refused[STORE_LIMIT_GROUPS] },
		[STATS_LIMIT_HEADER_BYTES] = { config->limit_header_bytes, 0, http->headers_too_large },
		[STATS_LIMIT_LABEL_BYTES] = { config->limit_label_bytes, 0,
				unparsed[FORMAT_LIMIT_LABEL_BYTES] },
		[STATS_LIMIT_LABEL_SETS] = { config->limit_label_sets, 0, refused[STORE_LIMIT_LABEL_SETS] },
		[STATS_LIMIT_LABELS] = { config->limit_labels, 0, unparsed[FORMAT_LIMIT_LABELS] },
		[STATS_LIMIT_SERIES] = { config->limit_series, contents->series,
				refused[STORE_LIMIT_SERIES] },
		[STATS_LIMIT_SERIES_PER_GROUP] = { config->limit_series_per_group, 0,
				refused[STORE_LIMIT_SERIES_PER_GROUP] + unparsed[FORMAT_LIMIT_SAMPLES] },
		[STATS_LIMIT_STORED_BYTES] = { config->limit_stored_bytes, contents->bytes,
				refused[STORE_LIMIT_BYTES] },
	};
	memcpy(stats->limits, values, sizeof(values));
	stats->limits[STATS_LIMIT_BODY_BYTES].refused += server->api.decoded_too_large;
}

static void collect_web(const struct server *server, struct stats *stats)
{
	const struct web_file *file = &server->web_file;
	stats->has_web_config = web_file_is_used(file);
	stats->web_config_is_good = file->was_read;
	stats->web_config_good_since = (double)file->read_ns / 1e9;
	stats->web_config_reloads_good = file->reloads_good;
	stats->web_config_reloads_failed = file->reloads_failed;
	if (server->tls.context != NULL) {
		stats->tls_handshakes = server->tls.handshakes;
		stats->tls_results = tls_result_names;
		stats->tls_result_count = TLS_RESULT_COUNT;
		stats->tls_not_after_seconds = server->tls.context->not_after_seconds;
	}
}

static void collect_targets(const struct server *server, struct stats *stats)
{
	struct resolver_stats resolver;
	_Static_assert((int)STATS_TARGET_STATES == (int)TARGET_STATE_COUNT, "a state is not shown");
	for (enum target_state state = 0; state < TARGET_STATE_COUNT; state++) {
		stats->targets.states[state] = target_state_name(state).ptr;
		stats->targets.by_state[state] = server->targets.counts[state];
	}
	stats->targets.refused = server->targets.refused;
	resolver_collect(server->resolver, &resolver);
	stats->targets.lookups = resolver.lookups;
	stats->targets.lookup_failures = resolver.failures;
	keep_targets_collect(server, &stats->targets);
}

void collect_stats(void *data, struct stats *stats)
{
	struct server *server = data;
	const struct contents *contents = server->store.contents;
	const struct http_counters *http = &server->http.counters;
	stats->groups = contents->group_count;
	stats->shadowed_groups = contents->shadowed_groups;
	stats->series = contents->series;
	stats->families = contents->families.len - server->store.declaration_count;
	stats->blocks = contents->blocks;
	stats->shadowed_blocks = contents->shadowed_blocks;
	stats->stored_bytes = contents->bytes;
	stats->expired_groups = server->store.counters.expired_groups;
	stats->connections = http->connections_open;
	stats->connections_accepted = http->connections_total;
	stats->bad_requests = http->bad_requests + http->unsupported;
	stats->received_bytes = http->received_bytes;
	stats->sent_bytes = http->sent_bytes;
	stats->timeouts[STATS_TIMEOUT_BODY] = http->body_timeouts;
	stats->timeouts[STATS_TIMEOUT_HEADER] = http->head_timeouts;
	stats->timeouts[STATS_TIMEOUT_IDLE] = http->idle_closed;
	stats->timeouts[STATS_TIMEOUT_WRITE] = http->slow_readers_cut;
	stats->auth_checks = server->gate.auth.counters.checks;
	stats->auth_failures = server->gate.auth.counters.failures;
	stats->auth_overloaded = server->gate.auth.counters.overloaded;
	stats->auth_seconds = (double)server->gate.auth.counters.check_ns / 1e9;
	stats->rate_limited = server->gate.rate_limited;
	collect_limits(server, stats);
	collect_web(server, stats);
	collect_targets(server, stats);
	durability_collect(server, &stats->state);
	lists_collect(server, &stats->ingest);
}
