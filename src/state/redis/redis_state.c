#include "state/redis/redis_state.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "state/redis/parts.h"
#include "state/redis/scan.h"

enum {
	TICK_MS = 50,
	TICK_CLUSTER_MS = 10, /* there, changes are asked for with each tick */
	GREET_MS = 1000,      /* from one greeting to the next */
	GREET_AWAY_MS = 200,  /* the same while it fails */
};

/* ---- The end ---- */

static void on_handle_closed(struct redis_state *state)
{
	if (--state->open_handles > 0) {
		return;
	}
	state->events.on_closed(state->events.data);
	for (size_t i = 0; i < PARTITIONS; i++) {
		partition_finish(&state->partitions[i]);
	}
	shared_groups_tidy(state);
	ZSTD_freeDCtx(state->unpacker);
	free(state);
}

static void on_turn_closed(void *data)
{
	on_handle_closed(data);
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_handle_closed(handle->data);
}

/* Nothing calls back any more but the handles themselves. */
static void close_handles(struct redis_state *state)
{
	bool is_idle = state->open_clients == 0 && state->batches == 0 && apply_drop_all(state);
	if (!is_idle || state->is_closed) {
		return;
	}
	state->is_closed = true;
	gather_end(state);
	turn_close(&state->turn, on_turn_closed);
	turn_close(&state->apply_turn, on_turn_closed);
	uv_close((uv_handle_t *)&state->timer, on_timer_closed);
	uv_close((uv_handle_t *)&state->pause, on_timer_closed);
	uv_close((uv_handle_t *)&state->early_timer, on_timer_closed);
}

static bool has_work(const struct redis_state *state)
{
	for (size_t i = 0; i < PARTITIONS; i++) {
		const struct partition *partition = &state->partitions[i];
		bool is_sendable = partition_is_dirty(partition) && !partition->is_away
				&& partition->epoch[0] != '\0' && state->is_subscribed && !state->is_held;
		if (partition->outgoing != NULL || is_sendable) {
			return true;
		}
	}
	return false;
}

/* What can be sent was sent; what cannot is given up. */
static void finish(struct redis_state *state)
{
	if (!state->is_ending || state->is_closing || has_work(state)) {
		return;
	}
	state->is_closing = true;
	for (size_t i = 0; i < PARTITIONS; i++) {
		scan_give_up(&state->partitions[i]);
	}
	redis_close(state->redis);
	redis_close(state->reader);
}

static void close_state(struct state *base)
{
	struct redis_state *state = (struct redis_state *)base;
	state->is_ending = true;
	turn_arm(&state->turn);
}

/* ---- Turns and ticks ---- */

static void greet_some(struct redis_state *state, uint64_t now_ns)
{
	for (size_t i = 0; i < PARTITIONS; i++) {
		struct partition *partition = &state->partitions[i];
		bool is_urgent = partition->is_away || partition->phase == PARTITION_UNKNOWN;
		uint64_t wait_ms = is_urgent ? GREET_AWAY_MS : GREET_MS;
		if (now_ns - partition->hello_ns >= wait_ms * 1000000) {
			partition_greet(partition);
		}
	}
}

static bool on_turn(void *data)
{
	struct redis_state *state = data;
	if (!state->is_closing) {
		greet_some(state, clock_monotonic_ns());
	}
	bool has_more = outgoing_send_all(state);
	finish(state);
	return has_more;
}

static bool on_apply_turn(void *data)
{
	struct redis_state *state = data;
	if (state->is_closing) {
		return false;
	}
	bool has_more = apply_step(state);
	if (state->item_count == 0) {
		follow(state);
	}
	return has_more;
}

static void on_tick(uv_timer_t *timer)
{
	struct redis_state *state = timer->data;
	if (state->is_closing) {
		close_handles(state);
		return;
	}
	lease_renew(state);
	greet_some(state, clock_monotonic_ns());
	follow(state);
	outgoing_arm(state);
	shared_graves_tidy(state);
	shared_groups_tidy(state);
	finish(state);
	uint64_t ms = redis_is_cluster(state->reader) ? TICK_CLUSTER_MS : TICK_MS;
	uv_timer_set_repeat(timer, ms);
}

/* ---- Connections ---- */

static void on_connected(void *data, struct slice address)
{
	struct redis_state *state = data;
	log_info("connected to Redis address=" SLICE_FMT, SLICE_ARG(address));
	if (state->is_closing) {
		return;
	}
	state->lease.asked_ns = state->has_replica ? state->lease.asked_ns : 0;
	lease_renew(state);
	for (size_t i = 0; i < PARTITIONS; i++) {
		partition_greet(&state->partitions[i]);
	}
}

/* Whose partitions were there is known when all are greeted. */
static void on_lost(void *data, struct slice address, struct slice why)
{
	struct redis_state *state = data;
	log_warn("no connection to Redis address=" SLICE_FMT " error=" SLICE_FMT, SLICE_ARG(address),
			SLICE_ARG(why));
	for (size_t i = 0; i < PARTITIONS; i++) {
		state->partitions[i].hello_ns = 0;
	}
	turn_arm(&state->turn);
}

static void on_reader_connected(void *data, struct slice address)
{
	struct redis_state *state = data;
	if (!state->is_closing) {
		follow(state);
	}
}

static void on_reader_lost(void *data, struct slice address, struct slice why)
{
	(void)data; /* the other one says so */
}

static void on_client_closed(void *data)
{
	struct redis_state *state = data;
	state->open_clients--;
	close_handles(state);
}

/* ---- The interface ---- */

static bool is_behind(const struct state *base)
{
	const struct redis_state *state = (const struct redis_state *)base;
	for (size_t i = 0; i < PARTITIONS; i++) {
		if (state->partitions[i].outgoing != NULL || partition_is_dirty(&state->partitions[i])) {
			return true;
		}
	}
	return false;
}

/* Redis has everything; whoever takes over reads it there. */
static bool hand_over(struct state *base, int fd)
{
	struct redis_state *state = (struct redis_state *)base;
	(void)fd;
	state->is_held = true;
	return true;
}

static void resume(struct state *base)
{
	struct redis_state *state = (struct redis_state *)base;
	state->is_held = false;
	outgoing_arm(state);
}

/* The store has all groups, but their versions are Redis' to tell. */
static void take_over(struct state *base, int fd)
{
	struct redis_state *state = (struct redis_state *)base;
	(void)fd;
	const struct slots *slots = &state->store->contents->group_slots;
	for (uint32_t i = 0; i < slots->len; i++) {
		struct group *group = slot_content(*slots_at(slots, i));
		if (group != NULL) {
			shared_group_of(state, group);
		}
	}
	state->is_loaded = true;
	gather_begin(state);
}

/* Whatever is there, groups are added to it. */
static bool is_new(const struct state *base)
{
	(void)base;
	return true;
}

static void collect(const struct state *base, struct state_stats *ret_stats)
{
	const struct redis_state *state = (const struct redis_state *)base;
	struct redis_stats writing;
	struct redis_stats reading;
	uint64_t stored = state->store->changed;
	redis_collect(state->redis, &writing);
	redis_collect(state->reader, &reading);
	*ret_stats = state->stats;
	ret_stats->is_shared = true;
	ret_stats->commands = writing.commands + reading.commands;
	ret_stats->round_trips = writing.writes + reading.writes;
	ret_stats->connections = writing.open + reading.open;
	ret_stats->waiting_commands = writing.waiting + reading.waiting;
	ret_stats->answers = writing.answers + reading.answers;
	ret_stats->answer_seconds = writing.answer_seconds + reading.answer_seconds;
	ret_stats->replica = state->clock.replica;
	for (size_t i = 0; i < PARTITIONS; i++) {
		const struct partition *partition = &state->partitions[i];
		ret_stats->away += partition->is_away;
		bool is_waiting = partition->outgoing != NULL || partition_is_dirty(partition);
		stored = is_waiting && partition->stored < stored ? partition->stored : stored;
	}
	ret_stats->is_up = writing.is_connected && reading.is_connected && ret_stats->away == 0;
	ret_stats->waiting = state->is_subscribed ? state->store->changed - stored : 0;
}

static const struct state_backend redis_backend = {
	.close = close_state,
	.hand_over = hand_over,
	.resume = resume,
	.take_over = take_over,
	.is_new = is_new,
	.is_behind = is_behind,
	.collect = collect,
	.lanes = PARTITIONS,
	.lane_of = partition_of,
};

/* ---- The beginning ---- */

static void open_clients(struct redis_state *state)
{
	struct redis_events events = {
		.on_connected = on_connected,
		.on_lost = on_lost,
		.on_closed = on_client_closed,
		.data = state,
	};
	struct redis_events reader_events = {
		.on_connected = on_reader_connected,
		.on_lost = on_reader_lost,
		.on_closed = on_client_closed,
		.data = state,
	};
	state->open_clients = 2;
	state->redis = redis_open(&state->options.redis, state->loop, &events);
	state->reader = redis_open(&state->options.redis, state->loop, &reader_events);
}

struct state *redis_state_open(const struct redis_state_options *options, uv_loop_t *loop,
		struct store *store, const struct state_events *events)
{
	struct redis_state *state = memory_zalloc(1, sizeof(*state));
	state->state.backend = &redis_backend;
	state->options = *options;
	state->events = *events;
	state->store = store;
	state->loop = loop;
	state->loading = PARTITIONS;
	state->began_ns = clock_monotonic_ns();
	state->unpacker = ZSTD_createDCtx();
	list_init(&state->dead);
	list_init(&state->items);
	list_init(&state->early);
	list_init(&state->listener.link);
	shared_clock_init(&state->clock);
	for (unsigned i = 0; i < PARTITIONS; i++) {
		partition_init(&state->partitions[i], state, i);
	}
	open_clients(state);
	state->open_handles = 5;
	turn_open(&state->turn, loop, on_turn, state);
	turn_open(&state->apply_turn, loop, on_apply_turn, state);
	uv_timer_init(loop, &state->timer);
	uv_timer_init(loop, &state->pause);
	uv_timer_init(loop, &state->early_timer);
	state->pause.data = state;
	state->early_timer.data = state;
	state->timer.data = state;
	uv_timer_start(&state->timer, on_tick, TICK_MS, TICK_MS);
	return &state->state;
}
