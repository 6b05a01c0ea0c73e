#include "server/lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "config/lists_url.h"
#include "server/durability.h"
#include "server/lists_parts.h"
#include "server/parts.h"
#include "server/redis_place.h"
#include "server/replica.h"

enum {
	CONNECT_MS = 5000,
	RESPONSE_MS = 10000,
	RETRY_MS_MAX = 1000,
	STEP_MS = 100,   /* from one look for what is too old to the next */
	CLOSE_MS = 5000, /* that what was read may take to be stored, at the end */
	CLOSE_STEP_MS = 10,
};

static void on_timer_closed(uv_handle_t *handle)
{
	struct lists *lists = handle->data;
	lists->on_closed(lists->server);
}

static void on_drain_closed(void *data)
{
	struct lists *lists = data;
	uv_close((uv_handle_t *)&lists->timer, on_timer_closed);
}

/* Nothing is at work; what only waits to be durable need not be waited for. */
static void close_when_at_rest(struct lists *lists)
{
	bool is_patient = uv_now(lists->timer.loop) - lists->closing_ms < CLOSE_MS;
	struct drain *drain = lists->drain;
	if (drain == NULL || lists->merges.working > 0 || (is_patient && !drain_is_at_rest(drain))) {
		return;
	}
	lists->drain = NULL;
	drain_close(drain, !lists->server->is_handed_over);
}

static void on_timer(uv_timer_t *timer)
{
	struct lists *lists = timer->data;
	if (lists->is_closing) {
		close_when_at_rest(lists);
	} else if (!lists->is_paused && !durability_is_loading(lists->server)) {
		merges_step(&lists->merges);
	}
}

static void begin(struct lists *lists)
{
	struct server *server = lists->server;
	const struct config *config = server->config;
	struct redis_options redis = redis_place_options(&lists->url, lists->addresses);
	struct state_url state = state_url_read(config->state_url);
	redis.tls.ca_file = config->ingest_redis_lists_tls_ca_file;
	redis.tls.cert_file = config->ingest_redis_lists_tls_cert_file;
	redis.tls.key_file = config->ingest_redis_lists_tls_key_file;
	redis.tls.is_unverified = config->ingest_redis_lists_tls_insecure_skip_verify;
	redis.connect_ms = CONNECT_MS;
	redis.response_ms = RESPONSE_MS;
	redis.retry_ms_max = RETRY_MS_MAX;
	struct drain_options options = {
		.redis = redis,
		.match = config->ingest_redis_lists_match,
		.holder = lists->holder,
		.interval_ms = (uint64_t)config->ingest_redis_lists_interval_ns / 1000000,
		.element_bytes = config->limit_body_bytes,
		.is_shared = state.scheme == STATE_SCHEME_REDIS,
	};
	struct drain_events events = lists_events(lists);
	events.on_closed = on_drain_closed;
	state_url_finish(&state);
	merges_init(&lists->merges, &server->api, config->ingest_ttl_ns, SLICE("redis-list"));
	uv_timer_init(&server->loop, &lists->timer);
	lists->timer.data = lists;
	uv_timer_start(&lists->timer, on_timer, STEP_MS, STEP_MS);
	lists->drain = drain_open(&options, &server->loop, &events);
	log_info("lists are drained redis=%s match=%s", lists->name, options.match);
}

static void destroy_lists(struct lists *lists)
{
	free(lists->addresses);
	free(lists->name);
	state_url_finish(&lists->url);
	free(lists);
}

bool lists_open(struct server *server)
{
	const struct config *config = server->config;
	if (!lists_url_is_given(config->ingest_redis_lists)) {
		return true;
	}
	if (redis_missing() != NULL) {
		log_error("cannot drain lists of a Redis error=%s", redis_missing());
		return false;
	}
	struct lists *lists = memory_zalloc(1, sizeof(*lists));
	lists->server = server;
	lists->url = state_url_read(config->ingest_redis_lists);
	lists->name = redis_place_name(&lists->url);
	lists->addresses = redis_place_addresses(&lists->url);
	map_init(&lists->skipped);
	if (!redis_place_read_password(&lists->url, config->ingest_redis_lists_password_file)) {
		destroy_lists(lists);
		return false;
	}
	replica_find(server, lists->holder);
	server->lists = lists;
	begin(lists);
	return true;
}

void lists_pause(struct server *server)
{
	struct lists *lists = server->lists;
	if (lists != NULL && lists->drain != NULL) {
		lists->is_paused = true;
		drain_pause(lists->drain);
	}
}

void lists_resume(struct server *server)
{
	struct lists *lists = server->lists;
	if (lists != NULL && lists->drain != NULL) {
		lists->is_paused = false;
		drain_resume(lists->drain);
	}
}

bool lists_is_at_rest(const struct server *server)
{
	const struct lists *lists = server->lists;
	return lists == NULL || lists->drain == NULL
			|| (lists->merges.working == 0 && drain_is_at_rest(lists->drain));
}

void lists_close(struct server *server, void (*on_closed)(struct server *server))
{
	struct lists *lists = server->lists;
	if (lists == NULL) {
		on_closed(server);
		return;
	}
	lists->on_closed = on_closed;
	lists->is_closing = true;
	lists->closing_ms = uv_now(&server->loop);
	drain_pause(lists->drain);
	uv_timer_start(&lists->timer, on_timer, 0, CLOSE_STEP_MS);
}

void lists_finish(struct server *server)
{
	struct lists *lists = server->lists;
	if (lists == NULL) {
		return;
	}
	lists_forget_skipped(lists);
	merges_finish(&lists->merges);
	destroy_lists(lists);
	server->lists = NULL;
}

void lists_set_options(struct server *server)
{
	if (server->lists != NULL) {
		server->lists->merges.ttl_ns = server->config->ingest_ttl_ns;
	}
}

void lists_collect(const struct server *server, struct stats_ingest *stats)
{
	_Static_assert(
			(int)INGEST_REASON_COUNT <= (int)STATS_INGEST_REASONS_MAX, "a reason is not shown");
	const struct lists *lists = server->lists;
	struct drain_stats drain;
	stats->is_used = lists != NULL;
	if (lists == NULL || lists->drain == NULL) {
		return;
	}
	drain_collect(lists->drain, &drain);
	stats->is_up = drain.is_connected;
	stats->seen_ns = drain.seen_ns;
	stats->is_draining = drain.is_connected && drain.is_holder;
	stats->lists = drain.lists;
	stats->elements = drain.elements;
	stats->oversized = lists->oversized;
	stats->bytes = drain.bytes;
	stats->errors = drain.faults;
	stats->lines = lists->counts.lines;
	stats->timestamps = lists->counts.timestamps;
	stats->superseded = lists->counts.superseded;
	stats->skipped = lists->skipped.len;
	stats->reasons = ingest_reason_names;
	stats->reason_count = INGEST_REASON_COUNT;
	memcpy(stats->rejected, lists->counts.rejected, sizeof(lists->counts.rejected));
}
