#include "server/lists.h"

#include <stdlib.h>
#include <string.h>

#include "api/merge.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "config/lists_url.h"
#include "config/state_url.h"
#include "drain/drain.h"
#include "server/durability.h"
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
	SKIPPED_MAX = 10000, /* lists of which it is remembered that they are left alone */
	KEY_SHOWN = 200,
};

static const uint64_t COMPLAIN_EVERY_NS = UINT64_C(10) * 1000000000;

static const char unknown[] = "its target is not known (--targets.register=known)";

/* Of a list that is left alone: that it was told. */
struct skipped {
	struct map_node node;
	struct skipped *next;
};

/* A part of a list on its way to the store. */
struct delivery {
	struct merge_delivery merge;
	struct drain_part *part;
	struct lists *lists;
	struct slice fault; /* of its first line that was left out; owned */
	uint64_t outages;   /* of the state, when it began */
};

struct lists {
	struct server *server;
	struct drain *drain; /* NULL: it is closed, or about to be */
	struct merges merges;
	struct state_url url;
	struct redis_address *addresses;
	char *name; /* of the Redis, for the log */
	char holder[TARGET_ID_TEXT + 1];
	uv_timer_t timer;
	bool is_paused;
	bool is_closing;
	uint64_t closing_ms;
	void (*on_closed)(struct server *server);
	struct map skipped; // skipped::node
	struct skipped *skipped_first;
	struct ingest_counts counts;
	uint64_t oversized;
	uint64_t complained_ns; /* monotonic; 0: never */
	uint64_t silenced;      /* lines that were left out since */
};

/* ---- What is left alone ---- */

static bool is_skipped(const struct lists *lists, struct slice key)
{
	return map_first(&lists->skipped, hash64(key)) != NULL;
}

/* Once for each key. */
static void skip(struct lists *lists, struct slice key, const char *why)
{
	if (is_skipped(lists, key) || lists->skipped.len == SKIPPED_MAX) {
		return;
	}
	struct skipped *skipped = memory_zalloc(1, sizeof(*skipped));
	skipped->next = lists->skipped_first;
	lists->skipped_first = skipped;
	map_insert(&lists->skipped, &skipped->node, hash64(key));
	log_warn("a list is left alone redis=%s list=" SLICE_FMT " reason=%s", lists->name,
			SLICE_ARG(slice_first(key, KEY_SHOWN)), why);
}

/* Why a list of that key is left alone; NULL: it is not. */
static const char *find_objection(const struct lists *lists, struct slice key)
{
	if (key.len == 0) {
		return "its key is empty";
	}
	if (!utf8_is_valid(key)) {
		return "its key is not UTF-8";
	}
	if (key.len > lists->server->config->limit_label_bytes) {
		return "its key is longer than --limit.label-bytes";
	}
	return merges_admit(&lists->merges, key) ? NULL : unknown;
}

static bool fits(void *data, struct slice key)
{
	struct lists *lists = data;
	const char *why = find_objection(lists, key);
	if (why != NULL) {
		skip(lists, key, why);
	}
	return why == NULL;
}

/* ---- What was left out ---- */

static void add_counts(struct ingest_counts *sum, const struct ingest_counts *more)
{
	sum->lines += more->lines;
	sum->timestamps += more->timestamps;
	sum->superseded += more->superseded;
	for (size_t i = 0; i < INGEST_REASON_COUNT; i++) {
		sum->rejected[i] += more->rejected[i];
	}
}

static uint64_t count_rejected(const struct ingest_counts *counts)
{
	uint64_t rejected = 0;
	for (size_t i = 0; i < INGEST_REASON_COUNT; i++) {
		rejected += counts->rejected[i];
	}
	return rejected;
}

/* A sender whose lines are wrong sends them again and again. */
static void complain(struct lists *lists, const struct delivery *delivery)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t rejected = count_rejected(&delivery->merge.counts);
	if (rejected == 0) {
		return;
	}
	lists->silenced += rejected;
	if (lists->complained_ns != 0 && now_ns - lists->complained_ns < COMPLAIN_EVERY_NS) {
		return;
	}
	log_warn("lines of lists were left out lines=%llu redis=%s list=" SLICE_FMT " first=" SLICE_FMT,
			(unsigned long long)lists->silenced, lists->name,
			SLICE_ARG(slice_first(delivery->part->key, KEY_SHOWN)), SLICE_ARG(delivery->fault));
	lists->complained_ns = now_ns;
	lists->silenced = 0;
}

/* ---- A part on its way ---- */

static uint64_t count_outages(const struct server *server)
{
	struct stats_state state = { 0 };
	durability_collect(server, &state);
	return state.outages;
}

static void destroy(struct delivery *delivery)
{
	free((void *)(uintptr_t)delivery->fault.ptr);
	free(delivery);
}

static struct slice copy_text(struct slice text)
{
	if (text.ptr == NULL) {
		return text;
	}
	char *copy = memory_alloc(text.len + 1);
	memcpy(copy, text.ptr, text.len);
	return slice_make(copy, text.len);
}

/* What is answered during an outage may be in memory alone. */
static bool may_be_lost(const struct delivery *delivery)
{
	const struct server *server = delivery->lists->server;
	return durability_is_away(server) || count_outages(server) != delivery->outages;
}

static void on_merged(struct merge_delivery *merge, enum merge_result result, struct slice why)
{
	struct delivery *delivery = LIST_ENTRY(merge, struct delivery, merge);
	struct lists *lists = delivery->lists;
	struct drain_part *part = delivery->part;
	if (lists->drain == NULL) {
		destroy(delivery); /* its list was left as it is */
		return;
	}
	if (result == MERGE_STORED && may_be_lost(delivery)) {
		result = MERGE_LATER;
		why = SLICE("the state store was away meanwhile");
	}
	switch (result) {
	case MERGE_STORED:
		delivery->fault = copy_text(why);
		drain_settle(lists->drain, part, DRAIN_STORED, why);
		return;
	case MERGE_LATER:
		drain_settle(lists->drain, part, DRAIN_LATER, why);
		break;
	case MERGE_UNKNOWN:
		skip(lists, part->key, unknown);
		drain_settle(lists->drain, part, DRAIN_UNREAD, why);
		break;
	}
	destroy(delivery);
}

static void on_part(void *data, struct drain_part *part)
{
	struct lists *lists = data;
	struct delivery *delivery = memory_zalloc(1, sizeof(*delivery));
	delivery->lists = lists;
	delivery->part = part;
	delivery->outages = count_outages(lists->server);
	delivery->merge.instance = part->key;
	delivery->merge.texts = part->elements;
	delivery->merge.text_count = part->count;
	delivery->merge.done = on_merged;
	part->data = delivery;
	merge_deliver(&lists->merges, &delivery->merge);
}

static void on_taken_off(void *data, struct drain_part *part, bool is_taken_off)
{
	struct lists *lists = data;
	struct delivery *delivery = part->data;
	if (is_taken_off) {
		add_counts(&lists->counts, &delivery->merge.counts);
		complain(lists, delivery);
	}
	destroy(delivery);
}

/* ---- What else happens ---- */

static bool is_ready(void *data)
{
	const struct lists *lists = data;
	const struct server *server = lists->server;
	bool needs_targets = server->targets.is_loading && server->targets.options.only_known;
	return !lists->is_closing && !needs_targets && !durability_is_loading(server)
			&& !durability_is_away(server);
}

static void on_too_large(void *data, struct slice key, uint64_t bytes)
{
	struct lists *lists = data;
	lists->oversized++;
	log_warn("an element of a list was thrown away, it has more than --limit.body-bytes redis=%s "
			 "list=" SLICE_FMT " bytes=%llu",
			lists->name, SLICE_ARG(slice_first(key, KEY_SHOWN)), (unsigned long long)bytes);
}

static void on_trouble(void *data, struct slice why)
{
	struct lists *lists = data;
	log_error("cannot drain lists, trying again redis=%s error=" SLICE_FMT, lists->name,
			SLICE_ARG(why));
}

static void on_well(void *data)
{
	struct lists *lists = data;
	log_info("lists are drained again redis=%s", lists->name);
}

static void on_fault(void *data, struct slice key, struct slice why)
{
	struct lists *lists = data;
	if (!is_skipped(lists, key)) {
		struct buf text;
		buf_init(&text, 0);
		buf_append(&text, why);
		buf_append_byte(&text, '\0');
		skip(lists, key, text.ptr);
		buf_finish(&text);
	}
}

/* ---- Life ---- */

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
	struct drain_events events = {
		.is_ready = is_ready,
		.fits = fits,
		.on_part = on_part,
		.on_taken_off = on_taken_off,
		.on_too_large = on_too_large,
		.on_trouble = on_trouble,
		.on_well = on_well,
		.on_fault = on_fault,
		.on_closed = on_drain_closed,
		.data = lists,
	};
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
	while (lists->skipped_first != NULL) {
		struct skipped *skipped = lists->skipped_first;
		lists->skipped_first = skipped->next;
		free(skipped);
	}
	map_finish(&lists->skipped);
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
