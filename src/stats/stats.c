#include "stats/stats.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "stats/process.h"
#include "version.h"

static const char *const handlers[] = {
	[STATS_HANDLER_API_EXPORT] = "api/v1/export",
	[STATS_HANDLER_API_IMPORT] = "api/v1/import",
	[STATS_HANDLER_API_METRICS] = "api/v1/metrics",
	[STATS_HANDLER_API_OPTIONS] = "api/v1/options",
	[STATS_HANDLER_API_QUERY] = "api/v1/query",
	[STATS_HANDLER_API_STATUS] = "api/v1/status",
	[STATS_HANDLER_API_TARGETS] = "api/v1/targets",
	[STATS_HANDLER_DELETE] = "delete",
	[STATS_HANDLER_DISCOVERY] = "discovery",
	[STATS_HANDLER_HEALTHY] = "healthy",
	[STATS_HANDLER_PUSH] = "push",
	[STATS_HANDLER_READY] = "ready",
	[STATS_HANDLER_STATIC] = "static",
	[STATS_HANDLER_STATUS] = "status",
	[STATS_HANDLER_WIPE] = "wipe",
};

static const char *const methods[] = {
	[STATS_METHOD_DELETE] = "delete",
	[STATS_METHOD_GET] = "get",
	[STATS_METHOD_OPTIONS] = "options",
	[STATS_METHOD_PATCH] = "patch",
	[STATS_METHOD_POST] = "post",
	[STATS_METHOD_PUT] = "put",
};

static const char *const rejections[] = {
	[STATS_REJECTED_BODY] = "body",
	[STATS_REJECTED_INCONSISTENT] = "inconsistent",
	[STATS_REJECTED_LIMIT] = "limit",
	[STATS_REJECTED_STATE] = "state",
	[STATS_REJECTED_SYNTAX] = "syntax",
	[STATS_REJECTED_TARGET] = "target",
	[STATS_REJECTED_TIMESTAMP] = "timestamp",
	[STATS_REJECTED_TTL] = "ttl",
	[STATS_REJECTED_URL] = "url",
};

static const char *const limits[] = {
	[STATS_LIMIT_BODY_BYTES] = "body_bytes",
	[STATS_LIMIT_CONNECTIONS] = "connections",
	[STATS_LIMIT_GROUPS] = "groups",
	[STATS_LIMIT_HEADER_BYTES] = "header_bytes",
	[STATS_LIMIT_LABEL_BYTES] = "label_bytes",
	[STATS_LIMIT_LABEL_SETS] = "label_sets",
	[STATS_LIMIT_LABELS] = "labels",
	[STATS_LIMIT_SERIES] = "series",
	[STATS_LIMIT_SERIES_PER_GROUP] = "series_per_group",
	[STATS_LIMIT_STORED_BYTES] = "stored_bytes",
};

static const char *const timeouts[] = {
	[STATS_TIMEOUT_BODY] = "body",
	[STATS_TIMEOUT_HEADER] = "header",
	[STATS_TIMEOUT_IDLE] = "idle",
	[STATS_TIMEOUT_WRITE] = "write",
};

void stats_init(struct stats *stats)
{
	*stats = (struct stats){ 0 };
}

void stats_count_request(
		struct stats *stats, enum stats_handler handler, enum stats_method method, unsigned status)
{
	struct stats_status_count *counts = stats->http_requests[handler][method];
	size_t i = 0;
	while (i < STATS_STATUSES_MAX && counts[i].status != 0 && counts[i].status < status) {
		i++;
	}
	if (i < STATS_STATUSES_MAX && counts[i].status != status) {
		/* The last one goes; no handler has so many. */
		memmove(&counts[i + 1], &counts[i], (STATS_STATUSES_MAX - i - 1) * sizeof(counts[0]));
		counts[i] = (struct stats_status_count){ .status = status };
	}
	counts[i < STATS_STATUSES_MAX ? i : STATS_STATUSES_MAX - 1].count++;
}

uint32_t stats_requests(const struct stats *stats, enum stats_handler handler,
		enum stats_method method, unsigned status)
{
	const struct stats_status_count *counts = stats->http_requests[handler][method];
	for (size_t i = 0; i < STATS_STATUSES_MAX; i++) {
		if (counts[i].status == status) {
			return counts[i].count;
		}
	}
	return 0;
}

void stats_count_push(
		struct stats *stats, enum stats_method method, size_t request_bytes, uint64_t began_ns)
{
	uint64_t now_ns = clock_monotonic_ns();
	double seconds = (double)(now_ns - began_ns) / 1e9;
	quantiles_observe(&stats->push_seconds[method], seconds, now_ns);
	quantiles_observe(&stats->push_bytes[method], (double)request_bytes, now_ns);
}

void stats_count_commit(struct stats *stats, uint64_t changes, double seconds)
{
	uint64_t now_ns = clock_monotonic_ns();
	quantiles_observe(&stats->commit_seconds, seconds, now_ns);
	quantiles_observe(&stats->commit_changes, (double)changes, now_ns);
}

void stats_collect(struct stats *stats)
{
	process_stats_read(&stats->process);
	if (stats->collect != NULL) {
		stats->collect(stats->collect_data, stats);
	}
}

/* ---- Lines ---- */

static void append_number(struct buf *lines, double value)
{
	char text[NUMBER_TEXT_MAX];
	size_t len = number_format(value, text);
	buf_append(lines, slice_make(text, len));
	buf_append_byte(lines, '\n');
}

static void append_value(struct buf *lines, const struct stats_row *row, double value)
{
	buf_append(lines, row->name);
	buf_append_byte(lines, ' ');
	append_number(lines, value);
}

/* name{label="text"} value */
static void append_labelled(struct buf *lines, const struct stats_row *row, const char *label,
		const char *text, uint64_t value)
{
	buf_printf(lines, SLICE_FMT "{%s=\"%s\"} %llu\n", SLICE_ARG(row->name), label, text,
			(unsigned long long)value);
}

static void render_plain(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const uint64_t *value = (const void *)((const char *)stats + row->offset);
	append_value(lines, row, (double)*value);
}

static void render_build_info(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	buf_printf(lines,
			SLICE_FMT "{branch=\"\",goarch=\"\",goos=\"linux\",goversion=\"\",revision=\"\",tags="
					  "\"\",version=\"%s\"} 1\n",
			SLICE_ARG(row->name), WEIR_VERSION);
}

static void render_weir_build_info(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	buf_printf(lines, SLICE_FMT "{compiler=\"%s\",platform=\"%s\",version=\"%s\"} 1\n",
			SLICE_ARG(row->name), WEIR_COMPILER, WEIR_PLATFORM, WEIR_VERSION);
}

static void render_requests(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t h = 0; h < STATS_HANDLER_COUNT; h++) {
		for (size_t m = 0; m < STATS_METHOD_COUNT; m++) {
			const struct stats_status_count *counts = stats->http_requests[h][m];
			for (size_t i = 0; i < STATS_STATUSES_MAX && counts[i].status != 0; i++) {
				buf_printf(lines, SLICE_FMT "{code=\"%u\",handler=\"%s\",method=\"%s\"} %u\n",
						SLICE_ARG(row->name), counts[i].status, handlers[h], methods[m],
						counts[i].count);
			}
		}
	}
}

/* A summary's lines; `labels` is empty or ends with a comma. */
static void append_summary(struct buf *lines, const struct stats_row *row, const char *labels,
		struct quantiles *quantiles)
{
	static const double shown[] = { 0.1, 0.5, 0.9 };
	int labels_len = (int)strlen(labels);
	uint64_t now_ns = clock_monotonic_ns();
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		buf_printf(lines, SLICE_FMT "{%squantile=\"%g\"} ", SLICE_ARG(row->name), labels, shown[i]);
		append_number(lines, quantiles_get(quantiles, shown[i], now_ns));
	}
	/* Without the comma. */
	int bare_len = labels_len > 0 ? labels_len - 1 : 0;
	const char *open = labels_len > 0 ? "{" : "";
	const char *close = labels_len > 0 ? "}" : "";
	buf_printf(
			lines, SLICE_FMT "_sum%s%.*s%s ", SLICE_ARG(row->name), open, bare_len, labels, close);
	append_number(lines, quantiles->sum);
	buf_printf(lines, SLICE_FMT "_count%s%.*s%s ", SLICE_ARG(row->name), open, bare_len, labels,
			close);
	append_number(lines, (double)quantiles->count);
}

static void append_by_method(
		struct buf *lines, const struct stats_row *row, struct quantiles *by_method)
{
	for (size_t m = 0; m < STATS_METHOD_COUNT; m++) {
		char labels[32];
		snprintf(labels, sizeof(labels), "method=\"%s\",", methods[m]);
		if (by_method[m].count > 0) {
			append_summary(lines, row, labels, &by_method[m]);
		}
	}
}

static void render_push_seconds(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	append_by_method(lines, row, stats->push_seconds);
}

static void render_push_bytes(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	append_by_method(lines, row, stats->push_bytes);
}

static void render_scrape_seconds(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	append_summary(lines, row, "", &stats->scrape_seconds);
}

static void render_rejected(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t i = 0; i < STATS_REJECTED_COUNT; i++) {
		append_labelled(lines, row, "reason", rejections[i], stats->rejected[i]);
	}
}

static void render_limit_maximum(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t i = 0; i < STATS_LIMIT_COUNT; i++) {
		append_labelled(lines, row, "limit", limits[i], stats->limits[i].maximum);
	}
}

static void render_limit_current(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	static const enum stats_limit accumulating[] = {
		STATS_LIMIT_CONNECTIONS,
		STATS_LIMIT_GROUPS,
		STATS_LIMIT_SERIES,
		STATS_LIMIT_STORED_BYTES,
	};
	for (size_t i = 0; i < sizeof(accumulating) / sizeof(accumulating[0]); i++) {
		enum stats_limit limit = accumulating[i];
		append_labelled(lines, row, "limit", limits[limit], stats->limits[limit].current);
	}
}

static void render_limit_refused(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t i = 0; i < STATS_LIMIT_COUNT; i++) {
		append_labelled(lines, row, "limit", limits[i], stats->limits[i].refused);
	}
}

static void render_timeouts(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t i = 0; i < STATS_TIMEOUT_COUNT; i++) {
		append_labelled(lines, row, "phase", timeouts[i], stats->timeouts[i]);
	}
}

static void render_reload_result(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	append_value(lines, row, stats->config_is_good);
}

static void render_reload_time(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	append_value(lines, row, (double)stats->config_reloaded_ns / 1e9);
}

static void render_auth_seconds(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	append_value(lines, row, stats->auth_seconds);
}

static void render_tls_handshakes(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t i = 0; i < stats->tls_result_count; i++) {
		append_labelled(lines, row, "result", stats->tls_results[i], stats->tls_handshakes[i]);
	}
}

static void render_tls_not_after(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->tls_handshakes != NULL) {
		append_value(lines, row, (double)stats->tls_not_after_seconds);
	}
}

static void render_web_config_good(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->has_web_config) {
		append_value(lines, row, stats->web_config_is_good);
	}
}

static void render_web_config_since(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->has_web_config) {
		append_value(lines, row, stats->web_config_good_since);
	}
}

static void render_web_config_reloads(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->has_web_config) {
		append_labelled(lines, row, "result", "failure", stats->web_config_reloads_failed);
		append_labelled(lines, row, "result", "success", stats->web_config_reloads_good);
	}
}

enum state_row {
	STATE_BYTES,
	STATE_FAILURES,
	STATE_GROUPS_LOADED,
	STATE_LAST_COMMIT,
	STATE_LOAD_SECONDS,
	STATE_SET_ASIDE,
	STATE_WAITING_ANSWERS,
	STATE_WAITING_CHANGES,
};

static void render_state(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_state *state = &stats->state;
	const double values[] = {
		[STATE_BYTES] = (double)state->bytes,
		[STATE_FAILURES] = (double)state->failures,
		[STATE_GROUPS_LOADED] = (double)state->groups_loaded,
		[STATE_LAST_COMMIT] = (double)state->last_commit_ns / 1e9,
		[STATE_LOAD_SECONDS] = state->load_seconds,
		[STATE_SET_ASIDE] = (double)state->records_set_aside,
		[STATE_WAITING_ANSWERS] = (double)state->waiting_answers,
		[STATE_WAITING_CHANGES] = (double)state->waiting_changes,
	};
	/* What Redis takes on its disks, it says itself. */
	bool is_known = !state->is_shared || row->offset != STATE_BYTES;
	if (state->is_kept && is_known) {
		append_value(lines, row, values[row->offset]);
	}
}

enum shared_row {
	SHARED_AWAY_PARTITIONS,
	SHARED_COMMANDS,
	SHARED_EPOCH_CHANGES,
	SHARED_EPOCH_SINCE,
	SHARED_OUTAGES,
	SHARED_RECEIVED_CHANGES,
	SHARED_RESCANS,
	SHARED_RESENT_GROUPS,
	SHARED_ROUND_TRIPS,
	SHARED_STREAM_LAG,
	SHARED_STREAM_POSITION,
};

static void render_shared(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_state *state = &stats->state;
	const double values[] = {
		[SHARED_AWAY_PARTITIONS] = (double)state->away_partitions,
		[SHARED_COMMANDS] = (double)state->commands,
		[SHARED_EPOCH_CHANGES] = (double)state->epoch_changes,
		[SHARED_EPOCH_SINCE] = state->epoch_since,
		[SHARED_OUTAGES] = (double)state->outages,
		[SHARED_RECEIVED_CHANGES] = (double)state->received_changes,
		[SHARED_RESCANS] = (double)state->rescans,
		[SHARED_RESENT_GROUPS] = (double)state->resent_groups,
		[SHARED_ROUND_TRIPS] = (double)state->round_trips,
		[SHARED_STREAM_LAG] = state->stream_lag_seconds,
		[SHARED_STREAM_POSITION] = state->stream_position,
	};
	if (state->is_shared) {
		append_value(lines, row, values[row->offset]);
	}
}

static void render_commit_seconds(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->state.is_kept) {
		append_summary(lines, row, "", &stats->commit_seconds);
	}
}

static void render_commit_changes(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->state.is_kept) {
		append_summary(lines, row, "", &stats->commit_changes);
	}
}

static void render_process(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct process_stats *process = &stats->process;
	const double values[] = {
		process->cpu_seconds,
		(double)process->max_fds,
		(double)process->open_fds,
		(double)process->resident_bytes,
		process->start_time,
		(double)process->virtual_bytes,
		process->virtual_max_bytes,
	};
	append_value(lines, row, values[row->offset]);
}

static void render_targets(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_targets *targets = &stats->targets;
	for (size_t i = 0; i < STATS_TARGET_STATES; i++) {
		if (targets->states[i] != NULL) {
			append_labelled(lines, row, "state", targets->states[i], targets->by_state[i]);
		}
	}
}

enum targets_row {
	TARGETS_BATCHES,
	TARGETS_FAULTS,
	TARGETS_OUTAGES,
	TARGETS_STATEMENTS,
	TARGETS_UP,
	TARGETS_WAITING,
};

static void render_targets_store(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_targets *targets = &stats->targets;
	const double values[] = {
		[TARGETS_BATCHES] = (double)targets->batches,
		[TARGETS_FAULTS] = (double)targets->faults,
		[TARGETS_OUTAGES] = (double)targets->outages,
		[TARGETS_STATEMENTS] = (double)targets->statements,
		[TARGETS_UP] = targets->is_up,
		[TARGETS_WAITING] = (double)targets->waiting,
	};
	if (targets->is_kept) {
		append_value(lines, row, values[row->offset]);
	}
}

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

static void render_ingest(struct stats *stats, const struct stats_row *row, struct buf *lines)
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
		append_value(lines, row, values[row->offset]);
	}
}

static void render_ingest_rejected(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const struct stats_ingest *ingest = &stats->ingest;
	for (size_t i = 0; ingest->is_used && i < ingest->reason_count; i++) {
		append_labelled(lines, row, "reason", ingest->reasons[i], ingest->rejected[i]);
	}
}

/* ---- The table ---- */

#define PLAIN(field) .render = render_plain, .offset = offsetof(struct stats, field)
#define PROCESS(index) .render = render_process, .offset = (index)
#define STATE(index) .render = render_state, .offset = (index)
#define TARGETS(index) .render = render_targets_store, .offset = (index)
#define INGEST(index) .render = render_ingest, .offset = (index)
#define SHARED(index) .render = render_shared, .offset = (index)

const struct stats_row stats_rows[] = {
	{ SLICE_INIT("process_cpu_seconds_total"), METRIC_COUNTER,
			SLICE_INIT("Total user and system CPU time spent in seconds."), PROCESS(0) },
	{ SLICE_INIT("process_max_fds"), METRIC_GAUGE,
			SLICE_INIT("Maximum number of open file descriptors."), PROCESS(1) },
	{ SLICE_INIT("process_open_fds"), METRIC_GAUGE, SLICE_INIT("Number of open file descriptors."),
			PROCESS(2) },
	{ SLICE_INIT("process_resident_memory_bytes"), METRIC_GAUGE,
			SLICE_INIT("Resident memory size in bytes."), PROCESS(3) },
	{ SLICE_INIT("process_start_time_seconds"), METRIC_GAUGE,
			SLICE_INIT("Start time of the process since unix epoch in seconds."), PROCESS(4) },
	{ SLICE_INIT("process_virtual_memory_bytes"), METRIC_GAUGE,
			SLICE_INIT("Virtual memory size in bytes."), PROCESS(5) },
	{ SLICE_INIT("process_virtual_memory_max_bytes"), METRIC_GAUGE,
			SLICE_INIT("Maximum amount of virtual memory available in bytes."), PROCESS(6) },
	{ SLICE_INIT("pushgateway_build_info"), METRIC_GAUGE,
			SLICE_INIT("A metric with a constant '1' value labeled by version, revision, branch, "
					   "goversion from which pushgateway was built, and the goos and goarch for "
					   "the build."),
			.render = render_build_info },
	{ SLICE_INIT("pushgateway_http_push_duration_seconds"), METRIC_SUMMARY,
			SLICE_INIT("HTTP request duration for pushes to the Pushgateway."),
			.help_must_match = true, .render = render_push_seconds },
	{ SLICE_INIT("pushgateway_http_push_size_bytes"), METRIC_SUMMARY,
			SLICE_INIT("HTTP request size for pushes to the Pushgateway."), .help_must_match = true,
			.render = render_push_bytes },
	{ SLICE_INIT("pushgateway_http_requests_total"), METRIC_COUNTER,
			SLICE_INIT("Total HTTP requests processed by the Pushgateway, excluding scrapes."),
			.help_must_match = true, .render = render_requests },
	{ SLICE_INIT("weir_auth_failures_total"), METRIC_COUNTER,
			SLICE_INIT("Requests answered 401: no credentials, or wrong ones."),
			PLAIN(auth_failures) },
	{ SLICE_INIT("weir_auth_overload_total"), METRIC_COUNTER,
			SLICE_INIT("Requests answered 503 because too many passwords waited to be checked."),
			PLAIN(auth_overloaded) },
	{ SLICE_INIT("weir_auth_verification_seconds_total"), METRIC_COUNTER,
			SLICE_INIT("Time that the computation of password hashes took."),
			.render = render_auth_seconds },
	{ SLICE_INIT("weir_auth_verifications_total"), METRIC_COUNTER,
			SLICE_INIT("Password hashes computed; passwords known to be right or wrong need none."),
			PLAIN(auth_checks) },
	{ SLICE_INIT("weir_bad_requests_total"), METRIC_COUNTER,
			SLICE_INIT("Requests that were not valid HTTP."), PLAIN(bad_requests) },
	{ SLICE_INIT("weir_blocks"), METRIC_GAUGE,
			SLICE_INIT("What groups contribute to families, one for each pair of them."),
			PLAIN(blocks) },
	{ SLICE_INIT("weir_build_info"), METRIC_GAUGE,
			SLICE_INIT("A metric with a constant '1' value labeled by version, compiler and "
					   "platform."),
			.render = render_weir_build_info },
	{ SLICE_INIT("weir_config_last_reload_success_timestamp_seconds"), METRIC_GAUGE,
			SLICE_INIT("Unix time when the settings were last read and good."),
			.render = render_reload_time },
	{ SLICE_INIT("weir_config_last_reload_successful"), METRIC_GAUGE,
			SLICE_INIT("Whether the settings were good when they were last read."),
			.render = render_reload_result },
	{ SLICE_INIT("weir_connections"), METRIC_GAUGE, SLICE_INIT("Connections that are open."),
			PLAIN(connections) },
	{ SLICE_INIT("weir_connections_accepted_total"), METRIC_COUNTER,
			SLICE_INIT("Connections accepted."), PLAIN(connections_accepted) },
	{ SLICE_INIT("weir_escape_collisions_total"), METRIC_COUNTER,
			SLICE_INIT("Names on pages shown under the scheme values, because the scheme asked "
					   "for would have made them equal to others."),
			PLAIN(escape_collisions) },
	{ SLICE_INIT("weir_families"), METRIC_GAUGE, SLICE_INIT("Metric families stored."),
			PLAIN(families) },
	{ SLICE_INIT("weir_groups"), METRIC_GAUGE, SLICE_INIT("Groups stored."), PLAIN(groups) },
	{ SLICE_INIT("weir_groups_expired_total"), METRIC_COUNTER,
			SLICE_INIT("Groups deleted because their time to live was over."),
			PLAIN(expired_groups) },
	{ SLICE_INIT("weir_ingest_bytes_total"), METRIC_COUNTER,
			SLICE_INIT("Bytes of elements taken off lists."), INGEST(INGEST_BYTES) },
	{ SLICE_INIT("weir_ingest_draining"), METRIC_GAUGE,
			SLICE_INIT("1 if it is this weir, of those on the same lists, that drains them."),
			INGEST(INGEST_DRAINING) },
	{ SLICE_INIT("weir_ingest_elements_total"), METRIC_COUNTER,
			SLICE_INIT("Elements taken off lists."), INGEST(INGEST_ELEMENTS) },
	{ SLICE_INIT("weir_ingest_errors_total"), METRIC_COUNTER,
			SLICE_INIT("Errors while lists were drained."), INGEST(INGEST_ERRORS) },
	{ SLICE_INIT("weir_ingest_lines_total"), METRIC_COUNTER,
			SLICE_INIT("Lines of elements, taken or not."), INGEST(INGEST_LINES) },
	{ SLICE_INIT("weir_ingest_lists"), METRIC_GAUGE,
			SLICE_INIT("Lists that had something when they were looked for last."),
			INGEST(INGEST_LISTS) },
	{ SLICE_INIT("weir_ingest_oversized_elements_total"), METRIC_COUNTER,
			SLICE_INIT("Elements taken off lists unread, because they are too large."),
			INGEST(INGEST_OVERSIZED) },
	{ SLICE_INIT("weir_ingest_redis_up"), METRIC_GAUGE,
			SLICE_INIT("1 if the Redis with the lists can be used."), INGEST(INGEST_UP) },
	{ SLICE_INIT("weir_ingest_rejected_lines_total"), METRIC_COUNTER,
			SLICE_INIT("Lines of elements that were left out, by reason."),
			.render = render_ingest_rejected },
	{ SLICE_INIT("weir_ingest_skipped_lists_total"), METRIC_COUNTER,
			SLICE_INIT("Lists that are left alone: their keys cannot be label values, or their "
					   "targets are not known."),
			INGEST(INGEST_SKIPPED) },
	{ SLICE_INIT("weir_ingest_stripped_timestamps_total"), METRIC_COUNTER,
			SLICE_INIT("Lines whose timestamps were left out."), INGEST(INGEST_STRIPPED) },
	{ SLICE_INIT("weir_ingest_superseded_samples_total"), METRIC_COUNTER,
			SLICE_INIT("Samples that gave way to newer ones of their series."),
			INGEST(INGEST_SUPERSEDED) },
	{ SLICE_INIT("weir_limit"), METRIC_GAUGE,
			SLICE_INIT("The most of something that is allowed, by the name of the setting."),
			.render = render_limit_maximum },
	{ SLICE_INIT("weir_limit_refused_total"), METRIC_COUNTER,
			SLICE_INIT("What was refused because a limit was reached."),
			.render = render_limit_refused },
	{ SLICE_INIT("weir_limit_used"), METRIC_GAUGE, SLICE_INIT("How much of a limit is used now."),
			.render = render_limit_current },
	{ SLICE_INIT("weir_push_rejected_total"), METRIC_COUNTER,
			SLICE_INIT("Pushes refused, by reason."), .render = render_rejected },
	{ SLICE_INIT("weir_push_unchanged_layout_total"), METRIC_COUNTER,
			SLICE_INIT("Pushes that differed from the one before in values only."),
			PLAIN(unchanged_layouts) },
	{ SLICE_INIT("weir_rate_limited_total"), METRIC_COUNTER,
			SLICE_INIT("Requests answered 429 because of rate_limit in --web.config.file."),
			PLAIN(rate_limited) },
	{ SLICE_INIT("weir_received_bytes_total"), METRIC_COUNTER,
			SLICE_INIT("Bytes received from clients."), PLAIN(received_bytes) },
	{ SLICE_INIT("weir_scrape_bytes_total"), METRIC_COUNTER,
			SLICE_INIT("Bytes of pages scraped, before compression."), PLAIN(scrape_bytes) },
	{ SLICE_INIT("weir_scrape_duration_seconds"), METRIC_SUMMARY,
			SLICE_INIT("From the request of a page to its last byte being handed over."),
			.render = render_scrape_seconds },
	{ SLICE_INIT("weir_sent_bytes_total"), METRIC_COUNTER, SLICE_INIT("Bytes sent to clients."),
			PLAIN(sent_bytes) },
	{ SLICE_INIT("weir_series"), METRIC_GAUGE, SLICE_INIT("Sample lines stored."), PLAIN(series) },
	{ SLICE_INIT("weir_shadowed_blocks"), METRIC_GAUGE,
			SLICE_INIT("Blocks kept but not exposed, because they contradict others."),
			PLAIN(shadowed_blocks) },
	{ SLICE_INIT("weir_shadowed_groups"), METRIC_GAUGE,
			SLICE_INIT("Groups whose push times are not exposed, because another group has the "
					   "same labels apart from empty ones."),
			PLAIN(shadowed_groups) },
	{ SLICE_INIT("weir_state_away_partitions"), METRIC_GAUGE,
			SLICE_INIT("Parts of the groups, of 16, of which nothing can be stored in Redis now."),
			SHARED(SHARED_AWAY_PARTITIONS) },
	{ SLICE_INIT("weir_state_bytes"), METRIC_GAUGE,
			SLICE_INIT("Bytes on disk of the database, with what is not moved into it yet."),
			STATE(STATE_BYTES) },
	{ SLICE_INIT("weir_state_commands_total"), METRIC_COUNTER,
			SLICE_INIT("Commands sent to Redis."), SHARED(SHARED_COMMANDS) },
	{ SLICE_INIT("weir_state_commit_changes"), METRIC_SUMMARY,
			SLICE_INIT("Changes made durable by one commit."), .render = render_commit_changes },
	{ SLICE_INIT("weir_state_commit_duration_seconds"), METRIC_SUMMARY,
			SLICE_INIT("How long commits take."), .render = render_commit_seconds },
	{ SLICE_INIT("weir_state_commit_failures_total"), METRIC_COUNTER,
			SLICE_INIT("Commits that failed; what was in them is tried again."),
			STATE(STATE_FAILURES) },
	{ SLICE_INIT("weir_state_epoch_changes_total"), METRIC_COUNTER,
			SLICE_INIT("Times that a part of the groups was found gone from Redis, and was stored "
					   "again."),
			SHARED(SHARED_EPOCH_CHANGES) },
	{ SLICE_INIT("weir_state_epoch_time_seconds"), METRIC_GAUGE,
			SLICE_INIT("Unix time since when Redis has kept what it has."),
			SHARED(SHARED_EPOCH_SINCE) },
	{ SLICE_INIT("weir_state_groups_loaded"), METRIC_GAUGE, SLICE_INIT("Groups read at start."),
			STATE(STATE_GROUPS_LOADED) },
	{ SLICE_INIT("weir_state_last_commit_time_seconds"), METRIC_GAUGE,
			SLICE_INIT("Unix time of the last commit that went well; 0: none yet."),
			STATE(STATE_LAST_COMMIT) },
	{ SLICE_INIT("weir_state_load_duration_seconds"), METRIC_GAUGE,
			SLICE_INIT("How long reading what was stored took at start."),
			STATE(STATE_LOAD_SECONDS) },
	{ SLICE_INIT("weir_state_outages_total"), METRIC_COUNTER,
			SLICE_INIT("Times that Redis became unable to store."), SHARED(SHARED_OUTAGES) },
	{ SLICE_INIT("weir_state_received_changes_total"), METRIC_COUNTER,
			SLICE_INIT("Changes read that other replicas made."), SHARED(SHARED_RECEIVED_CHANGES) },
	{ SLICE_INIT("weir_state_records_set_aside"), METRIC_GAUGE,
			SLICE_INIT("Records that could not be read, kept in the database for whoever wants to "
					   "look at them."),
			STATE(STATE_SET_ASIDE) },
	{ SLICE_INIT("weir_state_rescans_total"), METRIC_COUNTER,
			SLICE_INIT("Times that all groups of a part were read again."),
			SHARED(SHARED_RESCANS) },
	{ SLICE_INIT("weir_state_resent_groups_total"), METRIC_COUNTER,
			SLICE_INIT("Groups sent to Redis again, because the first time failed."),
			SHARED(SHARED_RESENT_GROUPS) },
	{ SLICE_INIT("weir_state_round_trips_total"), METRIC_COUNTER,
			SLICE_INIT("Times that something was sent to Redis; one has any number of commands."),
			SHARED(SHARED_ROUND_TRIPS) },
	{ SLICE_INIT("weir_state_stream_lag_seconds"), METRIC_GAUGE,
			SLICE_INIT("How old the last change of another replica was when it was read."),
			SHARED(SHARED_STREAM_LAG) },
	{ SLICE_INIT("weir_state_stream_position_time_seconds"), METRIC_GAUGE,
			SLICE_INIT("Unix time of the last change of another replica that was read."),
			SHARED(SHARED_STREAM_POSITION) },
	{ SLICE_INIT("weir_state_waiting_answers"), METRIC_GAUGE,
			SLICE_INIT("Requests that are carried out and wait for their change to be durable."),
			STATE(STATE_WAITING_ANSWERS) },
	{ SLICE_INIT("weir_state_waiting_changes"), METRIC_GAUGE,
			SLICE_INIT("Changes that are not durable yet."), STATE(STATE_WAITING_CHANGES) },
	{ SLICE_INIT("weir_stored_bytes"), METRIC_GAUGE, SLICE_INIT("Memory that stored samples take."),
			PLAIN(stored_bytes) },
	{ SLICE_INIT("weir_targets"), METRIC_GAUGE,
			SLICE_INIT("Targets registered, by state as of some seconds ago."),
			.render = render_targets },
	{ SLICE_INIT("weir_targets_dns_lookup_failures_total"), METRIC_COUNTER,
			SLICE_INIT("Look-ups of targets' names that could not be carried out."),
			PLAIN(targets.lookup_failures) },
	{ SLICE_INIT("weir_targets_dns_lookups_total"), METRIC_COUNTER,
			SLICE_INIT("Look-ups of names that targets have."), PLAIN(targets.lookups) },
	{ SLICE_INIT("weir_targets_refused_total"), METRIC_COUNTER,
			SLICE_INIT("Pushes of targets that were not registered because there are too many."),
			PLAIN(targets.refused) },
	{ SLICE_INIT("weir_targets_store_batches_total"), METRIC_COUNTER,
			SLICE_INIT("Batches of rows given to the targets' database, one at a time."),
			TARGETS(TARGETS_BATCHES) },
	{ SLICE_INIT("weir_targets_store_faults_total"), METRIC_COUNTER,
			SLICE_INIT("Rows of targets that could not be read, or were not taken."),
			TARGETS(TARGETS_FAULTS) },
	{ SLICE_INIT("weir_targets_store_outages_total"), METRIC_COUNTER,
			SLICE_INIT("Times that the targets' database began to be away, or to take nothing."),
			TARGETS(TARGETS_OUTAGES) },
	{ SLICE_INIT("weir_targets_store_statements_total"), METRIC_COUNTER,
			SLICE_INIT("Statements that the targets' database carried out."),
			TARGETS(TARGETS_STATEMENTS) },
	{ SLICE_INIT("weir_targets_store_up"), METRIC_GAUGE,
			SLICE_INIT("1 if the targets' database can be used, and takes what is written."),
			TARGETS(TARGETS_UP) },
	{ SLICE_INIT("weir_targets_store_waiting"), METRIC_GAUGE,
			SLICE_INIT("Batches and changes that the targets' database does not have yet."),
			TARGETS(TARGETS_WAITING) },
	{ SLICE_INIT("weir_timeouts_total"), METRIC_COUNTER,
			SLICE_INIT("Connections ended because the client was too slow, by what it was slow "
					   "with."),
			.render = render_timeouts },
	{ SLICE_INIT("weir_tls_certificate_not_after_timestamp_seconds"), METRIC_GAUGE,
			SLICE_INIT("When the certificate that is served expires."),
			.render = render_tls_not_after },
	{ SLICE_INIT("weir_tls_handshakes_total"), METRIC_COUNTER,
			SLICE_INIT("TLS handshakes, by how they ended."), .render = render_tls_handshakes },
	{ SLICE_INIT("weir_web_config_last_reload_success_timestamp_seconds"), METRIC_GAUGE,
			SLICE_INIT("When the web config file was last read and found good."),
			.render = render_web_config_since },
	{ SLICE_INIT("weir_web_config_last_reload_successful"), METRIC_GAUGE,
			SLICE_INIT("Whether the web config file was good the last time it was read; if not, "
					   "the one before is in force."),
			.render = render_web_config_good },
	{ SLICE_INIT("weir_web_config_reloads_total"), METRIC_COUNTER,
			SLICE_INIT("Times the web config file was read anew, by result."),
			.render = render_web_config_reloads },
};

const size_t stats_row_count = sizeof(stats_rows) / sizeof(stats_rows[0]);
