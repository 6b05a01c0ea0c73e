#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/memory.h"
#include "state/ledger_handover.h"
#include "state/sqlite/parts.h"

/* ---- The loop ---- */

static void on_gathered(void *data)
{
	sqlite_arm(data);
}

static void finish(struct sqlite_state *state);

/* At the end of a turn of the loop, when something was gathered or loaded in it. */
static bool on_turn(void *data)
{
	struct sqlite_state *state = data;
	if (state->is_loading && sqlite_load_some(state)) {
		return true;
	}
	sqlite_take_result(state);
	bool is_put_off = !sqlite_give(state);
	if (state->is_closing && !state->is_loading) {
		finish(state);
		return is_put_off;
	}
	return ledger_tidy(&state->ledger) || is_put_off;
}

static void on_event(uv_async_t *async)
{
	struct sqlite_state *state = async->data;
	sqlite_take_result(state);
	if (state->is_loading || ledger_has_changes(&state->ledger) || state->is_closing) {
		turn_arm(&state->turn);
	}
}

/* ---- Taking over ---- */

static bool is_new(const struct state *base)
{
	const struct sqlite_state *state = (const struct sqlite_state *)base;
	return sqlite_file_is_empty(&state->file);
}

static bool is_behind(const struct state *base)
{
	const struct sqlite_state *state = (const struct sqlite_state *)base;
	return state->given != NULL || ledger_has_changes(&state->ledger);
}

static bool hand_over(struct state *base, int fd)
{
	struct sqlite_state *state = (struct sqlite_state *)base;
	assert(!is_behind(base));
	state->is_held = true;
	return ledger_write(&state->ledger, fd);
}

static void resume(struct state *base)
{
	struct sqlite_state *state = (struct sqlite_state *)base;
	state->is_held = false;
	sqlite_arm(state);
}

static void take_over(struct state *base, int fd)
{
	struct sqlite_state *state = (struct sqlite_state *)base;
	if (fd < 0 || !ledger_read(&state->ledger, fd)) {
		state->ledger.ahead_ns = clock_wall_ns() - (int64_t)clock_monotonic_ns();
		sqlite_file_count(&state->file, &state->ledger.next_number, &state->ledger.next_grp);
		ledger_note_all(&state->ledger, true);
	}
	sqlite_begin_to_store(state);
	sqlite_tell_loaded_is_durable(state);
	sqlite_arm(state);
}

/* ---- The end ---- */

static void on_handle_closed(struct sqlite_state *state)
{
	if (--state->open_handles == 0) {
		state->events.on_closed(state->events.data);
		ledger_finish(&state->ledger);
		free(state);
	}
}

static void on_turn_closed(void *data)
{
	on_handle_closed(data);
}

static void on_uv_closed(uv_handle_t *handle)
{
	on_handle_closed(handle->data);
}

static void close_handles(struct sqlite_state *state)
{
	turn_close(&state->turn, on_turn_closed);
	uv_close((uv_handle_t *)&state->event, on_uv_closed);
	uv_close((uv_handle_t *)&state->retry, on_uv_closed);
}

/* What is gathered was tried once more; what is failing then is given up. */
static void finish(struct sqlite_state *state)
{
	bool is_over = !ledger_has_changes(&state->ledger) || state->is_waiting || state->is_held;
	if (state->given != NULL || (state->is_ready && !is_over)) {
		return;
	}
	if (state->is_ready) {
		sqlite_thread_quit(&state->thread);
		sqlite_thread_join(&state->thread);
		state->is_ready = false;
	}
	state->is_closing = false;
	sqlite_file_close(&state->file);
	close_handles(state);
}

static void close_state(struct state *base)
{
	struct sqlite_state *state = (struct sqlite_state *)base;
	state->is_closing = true;
	state->is_waiting = false;
	uv_timer_stop(&state->retry);
	if (state->is_loading) {
		sqlite_loader_give_up(&state->loader);
	}
	turn_arm(&state->turn);
}

static uint64_t file_bytes(const char *path, const char *ending)
{
	char name[PATH_MAX];
	struct stat status;
	snprintf(name, sizeof(name), "%s%s", path, ending);
	return stat(name, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static void collect(const struct state *base, struct state_stats *ret_stats)
{
	const struct sqlite_state *state = (const struct sqlite_state *)base;
	*ret_stats = state->stats;
	ret_stats->waiting = is_behind(base) ? state->store->changed - state->durable : 0;
	ret_stats->bytes = file_bytes(state->file.path, "") + file_bytes(state->file.path, "-wal");
}

/* ---- The beginning ---- */

static size_t lane_of(const struct group_key *key)
{
	(void)key;
	return 0;
}

static const struct state_backend sqlite_backend = {
	.close = close_state,
	.hand_over = hand_over,
	.resume = resume,
	.take_over = take_over,
	.is_new = is_new,
	.is_behind = is_behind,
	.collect = collect,
	.lanes = 1,
	.lane_of = lane_of,
};

struct state *sqlite_state_open(const struct sqlite_state_options *options, uv_loop_t *loop,
		struct store *store, const struct state_events *events, struct buf *reterr_why)
{
	struct sqlite_state *state = memory_zalloc(1, sizeof(*state));
	if (!sqlite_open_file(state, options, reterr_why)) {
		free(state);
		return NULL;
	}
	state->state.backend = &sqlite_backend;
	state->events = *events;
	state->checks = options->checks;
	state->store = store;
	state->open_handles = 3;
	state->began_ns = clock_monotonic_ns();
	state->progress_ns = state->began_ns;
	ledger_init(&state->ledger, store, on_gathered, state);
	turn_open(&state->turn, loop, on_turn, state);
	uv_async_init(loop, &state->event, on_event);
	uv_timer_init(loop, &state->retry);
	state->event.data = state;
	state->retry.data = state;
	if (!options->is_taken_over) {
		sqlite_begin_to_load(state);
	}
	return &state->state;
}
