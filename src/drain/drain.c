#include "drain/drain.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/memory.h"
#include "drain/parts.h"
#include "drain/scripts.h"

enum {
	LEASE_MS = 5000,
	RENEW_MS = 1000,
	RELEASE_MS = 1000, /* that giving it back may take */
	BACKOFF_MS_MAX = 15000,
	BACKOFF_DOUBLINGS = 8,
	WAITING_MAX = 2000, /* lists that are known before the next are looked for */
	PAGE_PAUSE_MS = 1,  /* for a thousand keys of which none is a list, before the next round */
};

static const char scan_count[] = "1000";

static void begin(struct drain *drain);
static void scan(struct drain *drain);

/* ---- When ---- */

static void on_timer(uv_timer_t *timer);

static void wake(struct drain *drain, uint64_t ms)
{
	uv_timer_start(&drain->timer, on_timer, ms, 0);
}

static uint64_t backoff_ms(const struct drain *drain)
{
	unsigned doublings = drain->failures < BACKOFF_DOUBLINGS ? drain->failures : BACKOFF_DOUBLINGS;
	uint64_t ms = drain->options.interval_ms << (doublings > 0 ? doublings - 1 : 0);
	return ms < BACKOFF_MS_MAX ? ms : BACKOFF_MS_MAX;
}

/* A Redis of millions of other keys is not to be busy with looking through them. */
static uint64_t rest_of_interval(const struct drain *drain)
{
	uint64_t took_ms = uv_now(drain->timer.loop) - drain->began_ms;
	uint64_t interval_ms = drain->options.interval_ms;
	uint64_t rest_ms = took_ms < interval_ms ? interval_ms - took_ms : 0;
	uint64_t pause_ms = drain->idle_pages * PAGE_PAUSE_MS;
	return rest_ms > pause_ms ? rest_ms : pause_ms;
}

/* ---- Faults ---- */

static void tell_trouble(struct drain *drain, struct slice why)
{
	if (!drain->is_in_trouble) {
		drain->is_in_trouble = true;
		drain->events.on_trouble(drain->events.data, why);
	}
}

/* What waits for its turn in this round has none. */
static void stop_round(struct drain *drain)
{
	struct list *queues[] = { &drain->waiting, &drain->large };
	drain->is_stopped = true;
	for (size_t i = 0; i < 2; i++) {
		LIST_EACH (link, queues[i]) {
			list_remove(link);
		}
	}
	drain->waiting_count = 0;
}

void drain_fail(struct drain *drain, struct slice why)
{
	if (drain->phase == DRAIN_CLOSING) {
		return;
	}
	drain->has_failed = true;
	stop_round(drain);
	tell_trouble(drain, why);
}

/* ---- Rounds ---- */

static void forget_lists(struct drain *drain)
{
	LIST_EACH (link, &drain->lists) {
		drain_list_destroy(LIST_ENTRY(link, struct drain_list, in_round));
	}
}

static void end_round(struct drain *drain)
{
	bool is_whole = drain->is_scan_over && !drain->is_stopped;
	forget_lists(drain);
	drain->phase = DRAIN_IDLE;
	drain->failures = drain->has_failed ? drain->failures + 1 : 0;
	if (is_whole) {
		drain->stats.rounds++;
		drain->stats.lists = drain->list_count;
	}
	if (is_whole && drain->is_in_trouble) {
		drain->is_in_trouble = false;
		drain->events.on_well(drain->events.data);
	}
	if (drain->has_failed) {
		wake(drain, backoff_ms(drain));
	} else {
		wake(drain, drain->has_more ? 0 : rest_of_interval(drain));
	}
}

static bool may_go_on(struct drain *drain)
{
	return !drain->is_paused && drain->is_holder && drain->events.is_ready(drain->events.data);
}

/* Its turn has come; a large one has to be the only one. NULL: nobody's has. */
static struct drain_list *next_list(struct drain *drain)
{
	struct list *first = drain->has_large ? NULL : list_first(&drain->large);
	first = first != NULL ? first : list_first(&drain->waiting);
	bool has_place = drain->under_way < DRAIN_SIDE_BY_SIDE;
	return first == NULL || !has_place ? NULL : LIST_ENTRY(first, struct drain_list, link);
}

void drain_go_on(struct drain *drain)
{
	if (drain->phase != DRAIN_ROUND) {
		return;
	}
	if (!drain->is_stopped && !may_go_on(drain)) {
		stop_round(drain);
	}
	struct drain_list *list;
	while (!drain->is_stopped && (list = next_list(drain)) != NULL) {
		drain_list_read(list);
	}
	bool is_over = drain->is_scan_over || drain->is_stopped;
	if (!is_over && !drain->is_scanning && drain->waiting_count < WAITING_MAX) {
		scan(drain);
	}
	if (is_over && !drain->is_scanning && drain->under_way == 0 && drain->waiting_count == 0) {
		end_round(drain);
	}
}

/* ---- Looking for lists ---- */

static void note_key(struct drain *drain, const struct redisReply *key)
{
	struct slice text = slice_make(key->str, (size_t)key->len);
	if (key->type != REDIS_REPLY_STRING || !drain->events.fits(drain->events.data, text)) {
		return;
	}
	struct drain_list *list = drain_list_create(drain, text);
	if (list != NULL) {
		drain->list_count++;
		drain_list_enqueue(list);
	}
}

static bool is_page(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2
			&& reply->element[0]->type == REDIS_REPLY_STRING
			&& (size_t)reply->element[0]->len < sizeof(((struct drain *)NULL)->cursor)
			&& reply->element[1]->type == REDIS_REPLY_ARRAY;
}

static void on_scan(struct redis_command *command, const struct redis_result *result)
{
	struct drain *drain = LIST_ENTRY(command, struct drain, scan);
	const char *fault = drain_reply_fault(result);
	drain->is_scanning = false;
	if (fault != NULL || !is_page(result->reply)) {
		drain->stats.faults++;
		drain_fail(drain,
				slice_of_string(fault != NULL ? fault : "Redis answered something unexpected"));
	} else {
		const struct redisReply *reply = result->reply;
		memcpy(drain->cursor, reply->element[0]->str, (size_t)reply->element[0]->len + 1);
		drain->is_scan_over = strcmp(drain->cursor, "0") == 0;
		drain->idle_pages += reply->element[1]->elements == 0;
		for (size_t i = 0; i < reply->element[1]->elements && !drain->is_stopped; i++) {
			note_key(drain, reply->element[1]->element[i]);
		}
	}
	drain_go_on(drain);
}

static void scan(struct drain *drain)
{
	struct slice args[8] = { SLICE("SCAN"), slice_of_string(drain->cursor), SLICE("COUNT"),
		slice_of_string(scan_count), SLICE("TYPE"), SLICE("list") };
	size_t count = 6;
	if (strcmp(drain->options.match, "*") != 0) {
		args[count++] = SLICE("MATCH");
		args[count++] = slice_of_string(drain->options.match);
	}
	drain->is_scanning = true;
	drain->scan = (struct redis_command){ .done = on_scan };
	redis_send(drain->redis, &drain->scan, args, count);
}

static void begin_round(struct drain *drain)
{
	drain->phase = DRAIN_ROUND;
	drain->is_scan_over = false;
	drain->list_count = 0;
	drain->idle_pages = 0;
	strcpy(drain->cursor, "0");
	wake(drain, RENEW_MS);
	drain_go_on(drain);
}

/* ---- The lease ---- */

/* Until the round can begin, a fault is the end of it. */
static void give_up_holding(struct drain *drain)
{
	if (drain->phase == DRAIN_HOLDING) {
		drain->phase = DRAIN_IDLE;
		drain->failures += drain->has_failed;
		wake(drain, drain->has_failed ? backoff_ms(drain) : drain->options.interval_ms);
	}
}

static void on_held(struct redis_command *command, const struct redis_result *result)
{
	enum { HELD_BY_OTHERS, HELD_NEWLY, HELD_ON };
	struct drain *drain = LIST_ENTRY(command, struct drain, hold);
	const char *fault = drain_reply_fault(result);
	long long answer = fault != NULL ? HELD_BY_OTHERS : result->reply->integer;
	drain->is_asking = false;
	drain->is_holder = answer != HELD_BY_OTHERS;
	if (drain->phase == DRAIN_CLOSING) {
		return;
	}
	if (fault != NULL) {
		drain->stats.faults++;
		drain_fail(drain, slice_of_string(fault));
	}
	/* What the holder before has stored is to be here first. */
	bool has_to_wait = answer == HELD_NEWLY;
	if (drain->phase == DRAIN_HOLDING && drain->is_holder && !has_to_wait) {
		begin_round(drain);
		return;
	}
	give_up_holding(drain);
	drain_go_on(drain);
}

static void hold(struct drain *drain)
{
	char ms[16];
	snprintf(ms, sizeof(ms), "%d", LEASE_MS);
	const struct slice args[] = {
		SLICE("EVAL"),
		slice_of_string(drain_hold),
		SLICE("1"),
		slice_of_string(drain->lease),
		slice_of_string(drain->options.holder),
		slice_of_string(ms),
	};
	drain->is_asking = true;
	drain->hold = (struct redis_command){ .done = on_held };
	redis_send(drain->redis, &drain->hold, args, sizeof(args) / sizeof(args[0]));
}

static void begin(struct drain *drain)
{
	drain->is_stopped = false;
	drain->has_failed = false;
	drain->has_more = false;
	drain->began_ms = uv_now(drain->timer.loop);
	if (drain->is_paused) {
		return; /* resuming wakes it */
	}
	if (redis_is_cluster(drain->redis)) {
		tell_trouble(drain,
				SLICE("lists are drained from one server, and this is a cluster: name a Redis that "
					  "is none"));
		return;
	}
	if (!drain->events.is_ready(drain->events.data)) {
		wake(drain, drain->options.interval_ms);
		return;
	}
	if (!drain->options.is_shared) {
		drain->is_holder = true;
		begin_round(drain);
		return;
	}
	drain->phase = DRAIN_HOLDING;
	hold(drain);
}

static void on_timer(uv_timer_t *timer)
{
	struct drain *drain = timer->data;
	switch (drain->phase) {
	case DRAIN_IDLE:
		begin(drain);
		return;
	case DRAIN_HOLDING:
		return;
	case DRAIN_ROUND:
		if (drain->options.is_shared && !drain->is_asking) {
			hold(drain);
		}
		wake(drain, RENEW_MS);
		return;
	case DRAIN_CLOSING:
		redis_close(drain->redis);
		return;
	}
}

/* ---- The connection ---- */

static void on_connected(void *data, struct slice address)
{
	struct drain *drain = data;
	drain->stats.is_connected = true;
	drain->stats.seen_ns = clock_wall_ns();
	if (drain->phase == DRAIN_IDLE) {
		wake(drain, 0);
	}
}

static void on_lost(void *data, struct slice address, struct slice why)
{
	struct drain *drain = data;
	if (drain->stats.is_connected) {
		drain->stats.seen_ns = clock_wall_ns();
	}
	drain->stats.is_connected = false;
	drain->stats.faults++;
	if (drain->phase != DRAIN_CLOSING) {
		tell_trouble(drain, why);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct drain *drain = handle->data;
	struct drain_events events = drain->events;
	forget_lists(drain);
	map_finish(&drain->by_key);
	free(drain->lease);
	free(drain);
	events.on_closed(events.data);
}

static void on_redis_closed(void *data)
{
	struct drain *drain = data;
	uv_close((uv_handle_t *)&drain->timer, on_timer_closed);
}

/* ---- Life ---- */

static char *lease_key(const char *match)
{
	struct buf key;
	buf_init(&key, 0);
	buf_append_string(&key, "weir:redis-lists:");
	buf_append_string(&key, match);
	buf_append_byte(&key, '\0');
	return key.ptr;
}

struct drain *drain_open(
		const struct drain_options *options, uv_loop_t *loop, const struct drain_events *events)
{
	struct drain *drain = memory_zalloc(1, sizeof(*drain));
	struct redis_events redis_events = {
		.on_connected = on_connected,
		.on_lost = on_lost,
		.on_closed = on_redis_closed,
		.data = drain,
	};
	drain->options = *options;
	drain->events = *events;
	drain->lease = lease_key(options->match);
	map_init(&drain->by_key);
	list_init(&drain->lists);
	list_init(&drain->waiting);
	list_init(&drain->large);
	uv_timer_init(loop, &drain->timer);
	drain->timer.data = drain;
	drain->redis = redis_open(&options->redis, loop, &redis_events);
	wake(drain, 0);
	return drain;
}

static void on_released(struct redis_command *command, const struct redis_result *result)
{
	struct drain *drain = LIST_ENTRY(command, struct drain, scan);
	if (result->reply != NULL) {
		wake(drain, 0);
	}
}

/* A page of keys may still be on its way, so the lease is given back behind it. */
void drain_close(struct drain *drain, bool gives_back)
{
	bool has_lease = drain->options.is_shared && drain->is_holder && drain->stats.is_connected
			&& !drain->is_scanning;
	drain->phase = DRAIN_CLOSING;
	if (!gives_back || !has_lease) {
		wake(drain, 0);
		return;
	}
	const struct slice args[] = { SLICE("EVAL"), slice_of_string(drain_release), SLICE("1"),
		slice_of_string(drain->lease), slice_of_string(drain->options.holder) };
	wake(drain, RELEASE_MS);
	drain->scan = (struct redis_command){ .done = on_released };
	redis_send(drain->redis, &drain->scan, args, sizeof(args) / sizeof(args[0]));
}

void drain_pause(struct drain *drain)
{
	drain->is_paused = true;
}

void drain_resume(struct drain *drain)
{
	drain->is_paused = false;
	if (drain->phase == DRAIN_IDLE) {
		wake(drain, 0);
	}
}

bool drain_is_at_rest(const struct drain *drain)
{
	return drain->under_way == 0 && drain->phase == DRAIN_IDLE;
}

void drain_collect(const struct drain *drain, struct drain_stats *ret_stats)
{
	*ret_stats = drain->stats;
	ret_stats->is_holder = drain->is_holder;
}
