#include "stats/row.h"

void row_render_state(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_state *state = &stats->state;
	const double values[] = {
		[STATE_BYTES] = (double)state->bytes,
		[STATE_FAILURES] = (double)state->failures,
		[STATE_GROUPS_LOADED] = (double)state->groups_loaded,
		[STATE_LAST_COMMIT] = (double)state->last_commit_ns / 1e9,
		[STATE_LOAD_SECONDS] = state->load_seconds,
		[STATE_SET_ASIDE] = (double)state->records_set_aside,
		[STATE_UP] = state->is_up,
		[STATE_WAITING_ANSWERS] = (double)state->waiting_answers,
		[STATE_WAITING_CHANGES] = (double)state->waiting_changes,
	};
	/* What Redis takes on its disks, it says itself. */
	bool is_known = !state->is_shared || row->offset != STATE_BYTES;
	if (state->is_kept && is_known) {
		row_append_value(lines, row, values[row->offset]);
	}
}

void row_render_shared(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_state *state = &stats->state;
	const double values[] = {
		[SHARED_AWAY_PARTITIONS] = (double)state->away_partitions,
		[SHARED_COMMANDS] = (double)state->commands,
		[SHARED_CONNECTIONS] = (double)state->connections,
		[SHARED_EPOCH_CHANGES] = (double)state->epoch_changes,
		[SHARED_EPOCH_SINCE] = state->epoch_since,
		[SHARED_OUTAGES] = (double)state->outages,
		[SHARED_RECEIVED_CHANGES] = (double)state->received_changes,
		[SHARED_RESCANS] = (double)state->rescans,
		[SHARED_RESENT_GROUPS] = (double)state->resent_groups,
		[SHARED_ROUND_TRIPS] = (double)state->round_trips,
		[SHARED_STREAM_LAG] = state->stream_lag_seconds,
		[SHARED_STREAM_POSITION] = state->stream_position,
		[SHARED_UP] = state->is_redis_up,
		[SHARED_WAITING_COMMANDS] = (double)state->waiting_commands,
	};
	if (state->is_shared) {
		row_append_value(lines, row, values[row->offset]);
	}
}

void row_render_shared_answers(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_state *state = &stats->state;
	if (state->is_shared) {
		row_append_total(lines, row, state->answer_seconds, state->answers);
	}
}

void row_render_commit_seconds(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->state.is_kept) {
		row_append_summary(lines, row, "", &stats->commit_seconds);
	}
}

void row_render_commit_changes(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->state.is_kept) {
		row_append_summary(lines, row, "", &stats->commit_changes);
	}
}

void row_render_targets(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_targets *targets = &stats->targets;
	for (size_t i = 0; i < STATS_TARGET_STATES; i++) {
		if (targets->states[i] != NULL) {
			row_append_labelled(lines, row, "state", targets->states[i], targets->by_state[i]);
		}
	}
}

void row_render_targets_store(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_targets *targets = &stats->targets;
	const double values[] = {
		[TARGETS_BATCHES] = (double)targets->batches,
		[TARGETS_CONNECTIONS] = (double)targets->connections,
		[TARGETS_FAULTS] = (double)targets->faults,
		[TARGETS_OUTAGES] = (double)targets->outages,
		[TARGETS_STATEMENTS] = (double)targets->statements,
		[TARGETS_UP] = targets->is_up,
		[TARGETS_WAITING] = (double)targets->waiting,
	};
	if (targets->is_kept) {
		row_append_value(lines, row, values[row->offset]);
	}
}

void row_render_targets_answers(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_targets *targets = &stats->targets;
	if (targets->is_kept) {
		row_append_total(lines, row, targets->task_seconds, targets->tasks);
	}
}

void row_render_ingest(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_ingest *ingest = &stats->ingest;
	const double values[] = {
		[INGEST_BYTES] = (double)ingest->bytes,
		[INGEST_DRAINING] = ingest->is_draining,
		[INGEST_ELEMENTS] = (double)ingest->elements,
		[INGEST_ERRORS] = (double)ingest->errors,
		[INGEST_LINES] = (double)ingest->lines,
		[INGEST_LISTS] = (double)ingest->lists,
		[INGEST_OVERSIZED] = (double)ingest->oversized,
		[INGEST_SKIPPED] = (double)ingest->skipped,
		[INGEST_STRIPPED] = (double)ingest->timestamps,
		[INGEST_SUPERSEDED] = (double)ingest->superseded,
		[INGEST_UP] = ingest->is_up,
	};
	if (ingest->is_used) {
		row_append_value(lines, row, values[row->offset]);
	}
}

void row_render_ingest_rejected(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_ingest *ingest = &stats->ingest;
	for (size_t i = 0; ingest->is_used && i < ingest->reason_count; i++) {
		row_append_labelled(lines, row, "reason", ingest->reasons[i], ingest->rejected[i]);
	}
}
