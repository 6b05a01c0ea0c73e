#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "format/protobuf_native.h"
#include "server/durability_parts.h"
#include "state/redis/redis_state.h"

enum {
	CONNECT_MS_MAX = 5000,
	RETRY_MS_MAX = 1000,
	WAIT_MS_MAX = 1000, /* for replicas of Redis */
};

char *durability_redis_name(const struct state_url *url)
{
	struct buf name;
	buf_init(&name, 0);
	buf_append_string(&name, url->is_tls ? "rediss://" : "redis://");
	for (size_t i = 0; i < url->address_count; i++) {
		const struct state_address *address = &url->addresses[i];
		buf_append_string(&name, i == 0 ? "" : ",");
		if (address->port == 0) {
			buf_append_string(&name, address->host);
		} else {
			bool is_ipv6 = strchr(address->host, ':') != NULL;
			buf_printf(&name, is_ipv6 ? "[%s]:%u" : "%s:%u", address->host, address->port);
		}
	}
	buf_printf(&name, "/%u", url->database);
	buf_append_byte(&name, '\0');
	return name.ptr;
}

/* The state's addresses are those of the URL; owned. */
static struct redis_address *copy_addresses(const struct state_url *url)
{
	struct redis_address *addresses = memory_zalloc(url->address_count, sizeof(*addresses));
	for (size_t i = 0; i < url->address_count; i++) {
		addresses[i].host = url->addresses[i].host;
		addresses[i].port = url->addresses[i].port;
	}
	return addresses;
}

static bool read_password(struct durability *durability)
{
	const char *path = durability->server->config->state_password_file;
	struct buf why;
	buf_init(&why, 0);
	bool is_good = path[0] == '\0' || state_url_read_password(&durability->url, path, &why);
	if (!is_good) {
		log_error("cannot read the password of Redis path=%s error=" SLICE_FMT, path,
				SLICE_ARG(buf_slice(&why)));
	}
	buf_finish(&why);
	return is_good;
}

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
	if (!read_password(durability)) {
		return false;
	}
	uint64_t response_ms = milliseconds(config->state_outage_after_ns);
	durability->addresses = copy_addresses(url);
	struct redis_state_options options = {
		.redis = {
			.addresses = durability->addresses,
			.address_count = url->address_count,
			.user = url->user,
			.password = url->password,
			.database = url->database,
			.tls = {
				.is_used = url->is_tls,
				.ca_file = config->state_tls_ca_file,
				.cert_file = config->state_tls_cert_file,
				.key_file = config->state_tls_key_file,
				.is_unverified = config->state_tls_insecure_skip_verify,
			},
			.name = "weir",
			.connect_ms = at_most(response_ms, CONNECT_MS_MAX),
			.response_ms = response_ms,
			.retry_ms_max = RETRY_MS_MAX,
		},
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
