#include "base/clock.h"
#include "base/log.h"
#include "state/sqlite/parts.h"

static const uint64_t REPAIR_EVERY_NS = UINT64_C(30) * 1000000000;

enum {
	RETRY_MS_MIN = 50,
	RETRY_MS_MAX = 1000,
	CLOCK_EVERY_S = 10, /* stored with a commit */
};

/* ---- Handing over ---- */

void sqlite_arm(struct sqlite_state *state)
{
	if (state->is_ready && state->given == NULL && !state->is_waiting && !state->is_held) {
		turn_arm(&state->turn);
	}
}

/* Now and then, so that deadlines can be told from it after a restart. */
static bool read_clock(struct sqlite_state *state, struct state_clock *ret_clock)
{
	uint64_t now_ns = clock_monotonic_ns();
	if (state->clock_ns != 0 && now_ns - state->clock_ns < CLOCK_EVERY_S * UINT64_C(1000000000)) {
		return false;
	}
	state->clock_ns = now_ns;
	ret_clock->virtual_ns = (int64_t)now_ns + state->ledger.ahead_ns;
	ret_clock->at = boot_time_now();
	return true;
}

bool sqlite_give(struct sqlite_state *state)
{
	struct state_clock clock;
	bool is_possible = state->is_ready && state->given == NULL && !state->is_waiting
			&& !state->is_held && ledger_has_changes(&state->ledger);
	if (!is_possible) {
		return true;
	}
	state->tried = state->store->changed;
	state->given = ledger_take(&state->ledger);
	if (state->given != NULL) {
		bool has_clock = read_clock(state, &clock);
		sqlite_thread_give(&state->thread, state->given, has_clock ? &clock : NULL);
	}
	return state->given != NULL;
}

/* ---- What came of it ---- */

static void on_retry(uv_timer_t *timer);

static void wait_before_retry(struct sqlite_state *state, uint64_t ms)
{
	state->is_waiting = true;
	uv_timer_start(&state->retry, on_retry, ms, 0);
}

static void retry_later(struct sqlite_state *state)
{
	state->retry_ms = state->retry_ms == 0 ? RETRY_MS_MIN : state->retry_ms * 2;
	state->retry_ms = state->retry_ms > RETRY_MS_MAX ? RETRY_MS_MAX : state->retry_ms;
	wait_before_retry(state, state->retry_ms);
}

static void repair(struct sqlite_state *state);

/* Each leaves a copy of the database, and takes its time: not one after the other. */
static bool may_repair(struct sqlite_state *state)
{
	uint64_t now_ns = clock_monotonic_ns();
	bool is_soon = state->repaired_ns != 0 && now_ns - state->repaired_ns < REPAIR_EVERY_NS;
	if (is_soon) {
		wait_before_retry(state, (REPAIR_EVERY_NS - (now_ns - state->repaired_ns)) / 1000000 + 1);
	} else {
		state->repaired_ns = now_ns;
	}
	return !is_soon;
}

static void on_retry(uv_timer_t *timer)
{
	struct sqlite_state *state = timer->data;
	state->is_waiting = false;
	if (state->is_damaged && may_repair(state)) {
		repair(state);
	}
	sqlite_arm(state);
}

static void take_stored(struct sqlite_state *state, struct change_set *set, double seconds)
{
	uint64_t version = set->version;
	state->retry_ms = 0;
	state->stats.last_commit_ns = clock_wall_ns();
	state->events.on_commit(state->events.data, set->count, seconds);
	ledger_settle(&state->ledger, set);
	/* The disk need not wait until all are answered. */
	sqlite_give(state);
	if (version > state->durable) {
		state->durable = version;
		state->events.on_durable(state->events.data, 0, version);
	}
}

static void take_failed(struct sqlite_state *state, struct change_set *set, const char *why)
{
	state->stats.failures++;
	state->clock_ns = 0;
	ledger_take_back(&state->ledger, set);
	retry_later(state);
	/* Those that were to come in further sets have failed, too. */
	state->events.on_failed(state->events.data, 0, state->tried, slice_of_string(why));
}

void sqlite_take_result(struct sqlite_state *state)
{
	struct sqlite_result result;
	if (!state->is_ready || !sqlite_thread_take_result(&state->thread, &result)) {
		return;
	}
	state->given = NULL;
	state->is_damaged = result.is_damaged;
	if (result.is_stored) {
		take_stored(state, result.set, result.seconds);
	} else {
		take_failed(state, result.set, result.why);
	}
}

/* ---- Repairing ---- */

/*
 * While weir runs, everything that was in the database is in memory, too. So what can be
 * read of it is saved in case weir ends meanwhile, and all groups are written again.
 */
static void repair(struct sqlite_state *state)
{
	struct sqlite_repaired repaired;
	struct buf why;
	buf_init(&why, 0);
	buf_append_string(&why, "a commit found it damaged");
	sqlite_repaired_init(&repaired);
	if (state->is_ready) {
		sqlite_thread_quit(&state->thread);
		sqlite_thread_join(&state->thread);
		sqlite_file_leave(&state->file);
		state->is_ready = false;
	}
	if (sqlite_repair_left(&state->file, &repaired, &why) == SQLITE_FILE_OK) {
		sqlite_tell_repaired(&repaired);
		ledger_note_all(&state->ledger, false);
		state->is_ready = sqlite_thread_start(&state->thread, &state->file, &state->event, &why);
	}
	state->is_damaged = !state->is_ready;
	if (!state->is_ready) {
		log_error("cannot repair the database path=%s error=" SLICE_FMT, state->file.path,
				SLICE_ARG(buf_slice(&why)));
		retry_later(state);
	}
	sqlite_repaired_finish(&repaired);
	buf_finish(&why);
}

/* ---- The beginning ---- */

void sqlite_begin_to_store(struct sqlite_state *state)
{
	struct buf why;
	buf_init(&why, 0);
	ledger_begin(&state->ledger);
	state->is_ready = sqlite_thread_start(&state->thread, &state->file, &state->event, &why);
	if (!state->is_ready) {
		state->events.on_unusable(state->events.data, buf_slice(&why));
	}
	buf_finish(&why);
}

void sqlite_tell_loaded_is_durable(struct sqlite_state *state)
{
	if (!ledger_has_changes(&state->ledger)) {
		state->durable = state->store->changed;
		state->events.on_durable(state->events.data, 0, state->durable);
	}
}
