#include "base/log.h"
#include "format/protobuf_native.h"
#include "server/durability_parts.h"
#include "server/redis_place.h"
#include "state/redis/redis_state.h"

enum {
	CONNECT_MS_MAX = 5000,
	RETRY_MS_MAX = 1000,
	WAIT_MS_MAX = 1000, /* for replicas of Redis */
};

static uint64_t milliseconds(int64_t ns)
{
	return (uint64_t)ns / 1000000;
}

static uint64_t at_most(uint64_t ms, uint64_t most)
{
	return ms < most ? ms : most;
}

bool durability_redis_open(struct durability *durability, const struct state_events *events)
{
	struct server *server = durability->server;
	const struct config *config = server->config;
	const struct state_url *url = &durability->url;
	if (redis_missing() != NULL) {
		log_error("cannot keep groups in Redis error=%s", redis_missing());
		return false;
	}
	if (!redis_place_read_password(&durability->url, config->state_password_file)) {
		return false;
	}
	uint64_t response_ms = milliseconds(config->state_outage_after_ns);
	durability->addresses = redis_place_addresses(url);
	struct redis_options redis = redis_place_options(url, durability->addresses);
	redis.tls.ca_file = config->state_tls_ca_file;
	redis.tls.cert_file = config->state_tls_cert_file;
	redis.tls.key_file = config->state_tls_key_file;
	redis.tls.is_unverified = config->state_tls_insecure_skip_verify;
	redis.connect_ms = at_most(response_ms, CONNECT_MS_MAX);
	redis.response_ms = response_ms;
	redis.retry_ms_max = RETRY_MS_MAX;
	struct redis_state_options options = {
		.redis = redis,
		.prefix = url->prefix,
		.checks = { .native_is_right = native_is_right },
		.accepts_outages = config->state_on_outage == CONFIG_OUTAGE_ACCEPT,
		.wait_replicas = (unsigned)config->state_wait,
		.wait_ms = at_most(response_ms / 2 + 1, WAIT_MS_MAX),
		.tombstone_ms = milliseconds(config->state_tombstones_ns),
		.stream_length = config->state_stream_length,
	};
	server->durability = durability;
	durability->state = redis_state_open(&options, &server->loop, &server->store, events);
	return true;
}
