#include "state/state.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "net/turn.h"
#include "state/ledger.h"
#include "state/ledger_handover.h"
#include "state/sqlite/file.h"
#include "state/sqlite/loader.h"
#include "state/sqlite/repair.h"
#include "state/sqlite/thread.h"

enum {
	RETRY_MS_MIN = 50,
	RETRY_MS_MAX = 1000,
	CLOCK_EVERY_S = 10, /* stored with a commit */
};

static const uint64_t PROGRESS_NS = UINT64_C(2) * 1000000000;

struct state {
	struct state_events events;
	struct store *store;
	uv_loop_t *loop;
	struct ledger ledger;
	struct sqlite_file file;
	struct record_checks checks;
	struct sqlite_loader loader;
	struct restore restore;
	struct list kept_units; // loaded_unit::link, which later ones refer to
	uint64_t began_ns;      /* the loading; monotonic */
	uint64_t progress_ns;   /* when it was told of last */
	struct sqlite_thread thread;
	struct turn turn; /* hands over what was gathered */
	uv_async_t event;
	uv_timer_t retry;
	int open_handles;
	uint64_t retry_ms; /* 0: the last commit went well */
	uint64_t durable;  /* all changes of the store up to there are */
	uint64_t clock_ns; /* when the clock was stored last; monotonic */
	struct change_set *given;
	bool is_loading; /* the loader runs */
	bool is_ready;   /* loaded; the thread runs */
	bool is_waiting; /* for the time to try again */
	bool is_damaged; /* the database is: it has to be repaired first */
	bool is_held;    /* nothing is written: another process may */
	bool is_closing;
	struct state_stats stats;
};

/* ---- Handing over ---- */

static void arm(struct state *state)
{
	if (state->is_ready && state->given == NULL && !state->is_waiting && !state->is_held) {
		turn_arm(&state->turn);
	}
}

static void on_gathered(void *data)
{
	arm(data);
}

/* Now and then, so that deadlines can be told from it after a restart. */
static bool read_clock(struct state *state, struct state_clock *ret_clock)
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

static void give(struct state *state)
{
	struct state_clock clock;
	state->given = ledger_take(&state->ledger);
	if (state->given != NULL) {
		bool has_clock = read_clock(state, &clock);
		sqlite_thread_give(&state->thread, state->given, has_clock ? &clock : NULL);
	}
}

/* ---- What came of it ---- */

static void finish(struct state *state);

static void repair(struct state *state);

static void on_retry(uv_timer_t *timer)
{
	struct state *state = timer->data;
	state->is_waiting = false;
	if (state->is_damaged) {
		repair(state);
	}
	arm(state);
}

static void take_stored(struct state *state, struct change_set *set, double seconds)
{
	uint64_t version = set->version;
	state->retry_ms = 0;
	state->stats.is_failing = false;
	state->stats.last_commit_ns = clock_wall_ns();
	state->events.on_commit(state->events.data, set->count, seconds);
	ledger_settle(&state->ledger, set);
	if (version > state->durable) {
		state->durable = version;
		state->events.on_durable(state->events.data, version);
	}
}

static void retry_later(struct state *state)
{
	state->retry_ms = state->retry_ms == 0 ? RETRY_MS_MIN : state->retry_ms * 2;
	state->retry_ms = state->retry_ms > RETRY_MS_MAX ? RETRY_MS_MAX : state->retry_ms;
	state->is_waiting = true;
	uv_timer_start(&state->retry, on_retry, state->retry_ms, 0);
}

static void take_failed(struct state *state, struct change_set *set, const char *why)
{
	uint64_t version = set->version;
	state->stats.is_failing = true;
	state->stats.failures++;
	state->clock_ns = 0;
	ledger_take_back(&state->ledger, set);
	retry_later(state);
	state->events.on_failed(state->events.data, version, slice_of_string(why));
}

static void take_result(struct state *state)
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

/* ---- Loading ---- */

static void tell_repaired(const struct sqlite_repaired *repaired)
{
	if (repaired->is_salvaged) {
		log_error(
				"the database is damaged; what can be read of it was saved kept=%s error=" SLICE_FMT
				" rows=%llu unreadable=%llu",
				repaired->salvaged.kept, SLICE_ARG(buf_slice(&repaired->why)),
				(unsigned long long)repaired->salvaged.rows,
				(unsigned long long)repaired->salvaged.rows_wrong);
	}
}

/* Slots are 16 bytes each: no more of them are empty than twice what the file takes. */
static uint64_t places_of_file(const struct state *state)
{
	enum { FEW = 1024, BYTES_A_PLACE = 8 };
	struct stat status;
	return FEW
			+ (stat(state->file.path, &status) == 0 ? (uint64_t)status.st_size / BYTES_A_PLACE : 0);
}

static void tell_progress(struct state *state, uint64_t rows)
{
	uint64_t now_ns = clock_monotonic_ns();
	if (now_ns - state->progress_ns >= PROGRESS_NS) {
		state->progress_ns = now_ns;
		state->events.on_progress(state->events.data, rows, state->loader.load.row_count);
	}
}

static void put_unit(struct state *state, struct loaded_unit *unit)
{
	loaded_unit_put(unit, &state->restore, &state->ledger);
	LIST_EACH (link, &unit->faults) {
		const struct loaded_fault *fault = LIST_ENTRY(link, struct loaded_fault, link);
		struct state_fault told = { fault->key, fault->number, fault->what };
		state->events.on_fault(state->events.data, &told);
	}
	tell_progress(state, unit->rows);
	if (unit->is_kept) {
		list_append(&state->kept_units, &unit->link);
	} else {
		loaded_unit_destroy(unit);
	}
}

static void begin_to_store(struct state *state)
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

/*
 * While weir runs, everything that was in the database is in memory, too. So what can be
 * read of it is saved in case weir ends meanwhile, and all groups are written again.
 */
static void repair(struct state *state)
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
		tell_repaired(&repaired);
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

/* What was loaded is reported like changes, yet it need not be stored again. */
static void tell_loaded_is_durable(struct state *state)
{
	if (!ledger_has_changes(&state->ledger)) {
		state->durable = state->store->changed;
		state->events.on_durable(state->events.data, state->durable);
	}
}

static void take_findings(struct state *state)
{
	const struct sqlite_load *load = &state->loader.load;
	state->ledger.ahead_ns = load->ahead_ns;
	state->ledger.next_number = load->next_number;
	state->ledger.next_grp = load->next_grp;
	state->stats.set_aside = load->set_aside;
	ledger_spread(&state->ledger, load->log_bytes);
}

static void end_loading(struct state *state)
{
	const struct sqlite_load *load = &state->loader.load;
	sqlite_loader_join(&state->loader);
	state->is_loading = false;
	restore_end(&state->restore);
	LIST_EACH (link, &state->kept_units) {
		loaded_unit_destroy(LIST_ENTRY(link, struct loaded_unit, link));
	}
	if (state->is_closing) {
		state->loader.result = SQLITE_LOAD_STOPPED; /* nobody waits for it any more */
	}
	tell_repaired(&state->loader.repaired);
	if (state->loader.result == SQLITE_LOAD_OK) {
		struct state_loaded loaded = {
			.groups = state->store->contents->group_count,
			.series = state->store->contents->series,
			.expired = load->expired,
			.faults = load->faults,
			.bytes = load->log_bytes,
			.seconds = (double)(clock_monotonic_ns() - state->began_ns) / 1e9,
		};
		take_findings(state);
		begin_to_store(state);
		if (state->is_ready) {
			tell_loaded_is_durable(state);
			state->events.on_loaded(state->events.data, &loaded);
		}
	} else if (state->loader.result != SQLITE_LOAD_STOPPED) {
		bool is_told = state->loader.why.len > 0;
		state->events.on_unusable(state->events.data,
				is_told ? buf_slice(&state->loader.why)
						: slice_of_string(sqlite3_errstr(load->fault)));
	}
	sqlite_loader_finish(&state->loader);
}

/* A unit a turn; false when there is none yet. */
static bool load_some(struct state *state)
{
	bool has_ended;
	struct loaded_unit *unit = sqlite_loader_take(&state->loader, &has_ended);
	if (unit != NULL && state->is_closing) {
		loaded_unit_destroy(unit);
	} else if (unit != NULL) {
		put_unit(state, unit);
	} else if (has_ended) {
		end_loading(state);
	}
	return unit != NULL;
}

/* ---- The loop ---- */

/* At the end of a turn of the loop, when something was gathered or loaded in it. */
static bool on_turn(void *data)
{
	struct state *state = data;
	if (state->is_loading && load_some(state)) {
		return true;
	}
	take_result(state);
	if (state->is_ready && state->given == NULL && !state->is_waiting && !state->is_held
			&& ledger_has_changes(&state->ledger)) {
		give(state);
	}
	if (state->is_closing && !state->is_loading) {
		finish(state);
		return false;
	}
	return ledger_tidy(&state->ledger);
}

static void on_event(uv_async_t *async)
{
	struct state *state = async->data;
	take_result(state);
	if (state->is_loading || ledger_has_changes(&state->ledger) || state->is_closing) {
		turn_arm(&state->turn);
	}
}

/* ---- The beginning ---- */

static void begin_to_load(struct state *state)
{
	state->is_loading = true;
	restore_begin(&state->restore, state->store, places_of_file(state));
	if (sqlite_loader_start(&state->loader, &state->file, &state->checks, &state->event) != 0) {
		abort(); /* no thread can be had at the start: as without memory */
	}
}

static bool open_file(
		struct state *state, const struct state_options *options, struct buf *reterr_why)
{
	struct sqlite_repaired repaired;
	sqlite_repaired_init(&repaired);
	enum sqlite_file_result result = options->is_in_use
			? sqlite_file_open_in_use(&state->file, options->path, options->sync, reterr_why)
			: sqlite_repair_open(&state->file, options->path, options->sync, &repaired, reterr_why);
	tell_repaired(&repaired);
	sqlite_repaired_finish(&repaired);
	return result == SQLITE_FILE_OK;
}

struct state *state_open(const struct state_options *options, uv_loop_t *loop, struct store *store,
		const struct state_events *events, struct buf *reterr_why)
{
	struct state *state = memory_zalloc(1, sizeof(*state));
	if (!open_file(state, options, reterr_why)) {
		free(state);
		return NULL;
	}
	state->events = *events;
	state->checks = options->checks;
	state->store = store;
	state->loop = loop;
	state->open_handles = 3;
	state->began_ns = clock_monotonic_ns();
	state->progress_ns = state->began_ns;
	list_init(&state->kept_units);
	ledger_init(&state->ledger, store, on_gathered, state);
	turn_open(&state->turn, loop, on_turn, state);
	uv_async_init(loop, &state->event, on_event);
	uv_timer_init(loop, &state->retry);
	state->event.data = state;
	state->retry.data = state;
	if (!options->is_taken_over) {
		begin_to_load(state);
	}
	return state;
}

/* ---- Taking over ---- */

bool state_is_new(const struct state *state)
{
	return sqlite_file_is_empty(&state->file);
}

bool state_hand_over(struct state *state, int fd)
{
	assert(!state_is_behind(state));
	state->is_held = true;
	return ledger_write(&state->ledger, fd);
}

void state_resume(struct state *state)
{
	state->is_held = false;
	arm(state);
}

void state_take_over(struct state *state, int fd)
{
	if (fd < 0 || !ledger_read(&state->ledger, fd)) {
		state->ledger.ahead_ns = clock_wall_ns() - (int64_t)clock_monotonic_ns();
		sqlite_file_count(&state->file, &state->ledger.next_number, &state->ledger.next_grp);
		ledger_note_all(&state->ledger, true);
	}
	begin_to_store(state);
	tell_loaded_is_durable(state);
	arm(state);
}

/* ---- The end ---- */

static void on_handle_closed(struct state *state)
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

static void close_handles(struct state *state)
{
	turn_close(&state->turn, on_turn_closed);
	uv_close((uv_handle_t *)&state->event, on_uv_closed);
	uv_close((uv_handle_t *)&state->retry, on_uv_closed);
}

/* What is gathered was tried once more; what is failing then is given up. */
static void finish(struct state *state)
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

void state_close(struct state *state)
{
	state->is_closing = true;
	state->is_waiting = false;
	uv_timer_stop(&state->retry);
	if (state->is_loading) {
		sqlite_loader_give_up(&state->loader);
	}
	turn_arm(&state->turn);
}

bool state_is_behind(const struct state *state)
{
	return state->given != NULL || ledger_has_changes(&state->ledger);
}

static uint64_t file_bytes(const char *path, const char *ending)
{
	char name[PATH_MAX];
	struct stat status;
	snprintf(name, sizeof(name), "%s%s", path, ending);
	return stat(name, &status) == 0 ? (uint64_t)status.st_size : 0;
}

void state_collect(const struct state *state, struct state_stats *ret_stats)
{
	*ret_stats = state->stats;
	ret_stats->waiting = state_is_behind(state) ? state->store->changed - state->durable : 0;
	ret_stats->bytes = file_bytes(state->file.path, "") + file_bytes(state->file.path, "-wal");
}
