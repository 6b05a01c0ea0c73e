#include "stats/row.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
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

static void append_number(struct buf *lines, double value)
{
	char text[NUMBER_TEXT_MAX];
	size_t len = number_format(value, text);
	buf_append(lines, slice_make(text, len));
	buf_append_byte(lines, '\n');
}

void row_append_value(struct buf *lines, const struct stats_row *row, double value)
{
	buf_append(lines, row->name);
	buf_append_byte(lines, ' ');
	append_number(lines, value);
}

/* name{label="text"} value */
void row_append_labelled(struct buf *lines, const struct stats_row *row, const char *label,
		const char *text, uint64_t value)
{
	buf_printf(lines, SLICE_FMT "{%s=\"%s\"} %llu\n", SLICE_ARG(row->name), label, text,
			(unsigned long long)value);
}

void row_render_plain(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	const uint64_t *value = (const void *)((const char *)stats + row->offset);
	row_append_value(lines, row, (double)*value);
}

void row_render_build_info(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	buf_printf(lines,
			SLICE_FMT "{branch=\"\",goarch=\"\",goos=\"linux\",goversion=\"\",revision=\"\",tags="
					  "\"\",version=\"%s\"} 1\n",
			SLICE_ARG(row->name), WEIR_VERSION);
}

void row_render_weir_build_info(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	buf_printf(lines, SLICE_FMT "{compiler=\"%s\",platform=\"%s\",version=\"%s\"} 1\n",
			SLICE_ARG(row->name), WEIR_COMPILER, WEIR_PLATFORM, WEIR_VERSION);
}

void row_render_requests(struct stats *stats, const struct stats_row *row, struct buf *lines)
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
void row_append_summary(struct buf *lines, const struct stats_row *row, const char *labels,
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

void row_append_total(struct buf *lines, const struct stats_row *row, double sum, uint64_t count)
{
	buf_printf(lines, SLICE_FMT "_sum ", SLICE_ARG(row->name));
	append_number(lines, sum);
	buf_printf(lines, SLICE_FMT "_count ", SLICE_ARG(row->name));
	append_number(lines, (double)count);
}

static void append_by_method(
		struct buf *lines, const struct stats_row *row, struct quantiles *by_method)
{
	for (size_t m = 0; m < STATS_METHOD_COUNT; m++) {
		char labels[32];
		snprintf(labels, sizeof(labels), "method=\"%s\",", methods[m]);
		if (by_method[m].count > 0) {
			row_append_summary(lines, row, labels, &by_method[m]);
		}
	}
}

void row_render_push_seconds(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	append_by_method(lines, row, stats->push_seconds);
}

void row_render_push_bytes(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	append_by_method(lines, row, stats->push_bytes);
}

void row_render_scrape_seconds(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	row_append_summary(lines, row, "", &stats->scrape_seconds);
}

void row_render_rejected(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t i = 0; i < STATS_REJECTED_COUNT; i++) {
		row_append_labelled(lines, row, "reason", rejections[i], stats->rejected[i]);
	}
}

void row_render_limit_maximum(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t i = 0; i < STATS_LIMIT_COUNT; i++) {
		row_append_labelled(lines, row, "limit", limits[i], stats->limits[i].maximum);
	}
}

void row_render_limit_current(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	static const enum stats_limit accumulating[] = {
		STATS_LIMIT_CONNECTIONS,
		STATS_LIMIT_GROUPS,
		STATS_LIMIT_SERIES,
		STATS_LIMIT_STORED_BYTES,
	};
	for (size_t i = 0; i < sizeof(accumulating) / sizeof(accumulating[0]); i++) {
		enum stats_limit limit = accumulating[i];
		row_append_labelled(lines, row, "limit", limits[limit], stats->limits[limit].current);
	}
}

void row_render_limit_refused(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t i = 0; i < STATS_LIMIT_COUNT; i++) {
		row_append_labelled(lines, row, "limit", limits[i], stats->limits[i].refused);
	}
}

void row_render_timeouts(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t i = 0; i < STATS_TIMEOUT_COUNT; i++) {
		row_append_labelled(lines, row, "phase", timeouts[i], stats->timeouts[i]);
	}
}

void row_render_reload_result(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	row_append_value(lines, row, stats->config_is_good);
}

void row_render_reload_time(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	row_append_value(lines, row, (double)stats->config_reloaded_ns / 1e9);
}

void row_render_auth_seconds(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	row_append_value(lines, row, stats->auth_seconds);
}

void row_render_tls_handshakes(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	for (size_t i = 0; i < stats->tls_result_count; i++) {
		row_append_labelled(lines, row, "result", stats->tls_results[i], stats->tls_handshakes[i]);
	}
}

void row_render_tls_not_after(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->tls_handshakes != NULL) {
		row_append_value(lines, row, (double)stats->tls_not_after_seconds);
	}
}

void row_render_web_config_good(struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->has_web_config) {
		row_append_value(lines, row, stats->web_config_is_good);
	}
}

void row_render_web_config_since(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->has_web_config) {
		row_append_value(lines, row, stats->web_config_good_since);
	}
}

void row_render_web_config_reloads(
		struct stats *stats, const struct stats_row *row, struct buf *lines)
{
	if (stats->has_web_config) {
		row_append_labelled(lines, row, "result", "failure", stats->web_config_reloads_failed);
		row_append_labelled(lines, row, "result", "success", stats->web_config_reloads_good);
	}
}

void row_render_process(struct stats *stats, const struct stats_row *row, struct buf *lines)
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
	row_append_value(lines, row, values[row->offset]);
}
