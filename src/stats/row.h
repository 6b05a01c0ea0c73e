#pragma once

/*
 * What the rows of the table show: each function appends the lines of one family, possibly none.
 * Of several families that show fields of one struct, the row's offset says which.
 */

#include "stats/stats.h"

enum state_row {
	STATE_BYTES,
	STATE_FAILURES,
	STATE_GROUPS_LOADED,
	STATE_LAST_COMMIT,
	STATE_LOAD_SECONDS,
	STATE_SET_ASIDE,
	STATE_UP,
	STATE_WAITING_ANSWERS,
	STATE_WAITING_CHANGES,
};

enum shared_row {
	SHARED_AWAY_PARTITIONS,
	SHARED_COMMANDS,
	SHARED_CONNECTIONS,
	SHARED_EPOCH_CHANGES,
	SHARED_EPOCH_SINCE,
	SHARED_OUTAGES,
	SHARED_RECEIVED_CHANGES,
	SHARED_RESCANS,
	SHARED_RESENT_GROUPS,
	SHARED_ROUND_TRIPS,
	SHARED_STREAM_LAG,
	SHARED_STREAM_POSITION,
	SHARED_UP,
	SHARED_WAITING_COMMANDS,
};

enum targets_row {
	TARGETS_BATCHES,
	TARGETS_CONNECTIONS,
	TARGETS_FAULTS,
	TARGETS_OUTAGES,
	TARGETS_STATEMENTS,
	TARGETS_UP,
	TARGETS_WAITING,
};

enum ingest_row {
	INGEST_BYTES,
	INGEST_DRAINING,
	INGEST_ELEMENTS,
	INGEST_ERRORS,
	INGEST_LINES,
	INGEST_LISTS,
	INGEST_OVERSIZED,
	INGEST_SKIPPED,
	INGEST_STRIPPED,
	INGEST_SUPERSEDED,
	INGEST_UP,
};

/* name value */
void row_append_value(struct buf *lines, const struct stats_row *row, double value);

/* name{label="text"} value */
void row_append_labelled(struct buf *lines, const struct stats_row *row, const char *label,
		const char *text, uint64_t value);

/* Its quantiles, sum and count. The labels go with each: empty, or with a comma behind. */
void row_append_summary(struct buf *lines, const struct stats_row *row, const char *labels,
		struct quantiles *quantiles);

/* Its sum and count, where no quantiles are known. */
void row_append_total(struct buf *lines, const struct stats_row *row, double sum, uint64_t count);

void row_render_plain(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_build_info(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_weir_build_info(
		struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_requests(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_push_seconds(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_push_bytes(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_scrape_seconds(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_rejected(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_limit_maximum(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_limit_current(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_limit_refused(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_timeouts(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_reload_result(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_reload_time(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_auth_seconds(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_tls_handshakes(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_tls_not_after(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_web_config_good(
		struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_web_config_since(
		struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_web_config_reloads(
		struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_state(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_shared(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_shared_answers(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_commit_seconds(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_commit_changes(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_process(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_targets(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_targets_store(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_targets_answers(
		struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_ingest(struct stats *stats, const struct stats_row *row, struct buf *lines);
void row_render_ingest_rejected(
		struct stats *stats, const struct stats_row *row, struct buf *lines);
