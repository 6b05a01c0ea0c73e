#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "state/sqlite/parts.h"

static const uint64_t PROGRESS_NS = UINT64_C(2) * 1000000000;

void sqlite_tell_repaired(const struct sqlite_repaired *repaired)
{
	if (repaired->is_salvaged) {
		log_error(
				"the database is damaged; what can be read of it was saved kept=%s error=" SLICE_FMT
				" rows=%llu unreadable=%llu unreadable-pages=%llu",
				repaired->salvaged.kept, SLICE_ARG(buf_slice(&repaired->why)),
				(unsigned long long)repaired->salvaged.rows,
				(unsigned long long)repaired->salvaged.rows_wrong,
				(unsigned long long)repaired->salvaged.pages_unreadable);
	}
}

/* Slots are 16 bytes each: no more of them are empty than twice what the file takes. */
static uint64_t places_of_file(const struct sqlite_state *state)
{
	enum { FEW = 1024, BYTES_A_PLACE = 8 };
	struct stat status;
	return FEW
			+ (stat(state->file.path, &status) == 0 ? (uint64_t)status.st_size / BYTES_A_PLACE : 0);
}

static void tell_progress(struct sqlite_state *state, uint64_t rows)
{
	uint64_t now_ns = clock_monotonic_ns();
	if (now_ns - state->progress_ns >= PROGRESS_NS) {
		state->progress_ns = now_ns;
		state->events.on_progress(state->events.data, rows, state->loader.load.row_count);
	}
}

static void put_unit(struct sqlite_state *state, struct loaded_unit *unit)
{
	loaded_unit_put(unit, &state->restore, &state->ledger);
	LIST_EACH (link, &unit->faults) {
		const struct loaded_fault *fault = LIST_ENTRY(link, struct loaded_fault, link);
		struct state_fault told = { fault->key, fault->number, fault->what };
		state->events.on_fault(state->events.data, &told);
	}
	tell_progress(state, unit->rows);
	loaded_unit_destroy(unit);
}

static void take_findings(struct sqlite_state *state)
{
	const struct sqlite_load *load = &state->loader.load;
	state->ledger.ahead_ns = load->ahead_ns;
	state->ledger.next_number = load->next_number;
	state->ledger.next_grp = load->next_grp;
	state->stats.set_aside = load->set_aside;
	ledger_spread(&state->ledger, load->log_bytes);
}

static void end_loading(struct sqlite_state *state)
{
	const struct sqlite_load *load = &state->loader.load;
	sqlite_loader_join(&state->loader);
	state->is_loading = false;
	restore_end(&state->restore);
	if (state->is_closing) {
		state->loader.result = SQLITE_LOAD_STOPPED; /* nobody waits for it any more */
	}
	sqlite_tell_repaired(&state->loader.repaired);
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
		sqlite_begin_to_store(state);
		if (state->is_ready) {
			sqlite_tell_loaded_is_durable(state);
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

bool sqlite_load_some(struct sqlite_state *state)
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

/* ---- The beginning ---- */

void sqlite_begin_to_load(struct sqlite_state *state)
{
	state->is_loading = true;
	restore_begin(&state->restore, state->store, places_of_file(state));
	if (sqlite_loader_start(&state->loader, &state->file, &state->checks, &state->event) != 0) {
		abort(); /* no thread can be had at the start: as without memory */
	}
}

bool sqlite_open_file(struct sqlite_state *state, const struct sqlite_state_options *options,
		struct buf *reterr_why)
{
	struct sqlite_repaired repaired;
	sqlite_repaired_init(&repaired);
	enum sqlite_file_result result = options->is_in_use
			? sqlite_file_open_in_use(&state->file, options->path, options->sync, reterr_why)
			: sqlite_repair_open(&state->file, options->path, options->sync, &repaired, reterr_why);
	sqlite_tell_repaired(&repaired);
	sqlite_repaired_finish(&repaired);
	return result == SQLITE_FILE_OK;
}
