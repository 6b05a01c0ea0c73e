#include "api/answer.h"
#include "api/endpoints.h"
#include "api/targets_api.h"
#include "api/targets_list.h"
#include "base/number.h"
#include "base/utf8.h"

/*
 * What is wanted of targets as rules for Prometheus.
 *
 * Label values are in expressions alone, where they are quoted: everything else may be a
 * template to Prometheus. Rules of the same name are told apart by the target's id.
 *
 * https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
 */

/* ---- YAML ---- */

static uint32_t code_point(struct slice sequence)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)sequence.ptr[0] & masks[sequence.len];
	for (size_t i = 1; i < sequence.len; i++) {
		code = code << 6 | ((unsigned char)sequence.ptr[i] & 0x3f);
	}
	return code;
}

/* What YAML takes for text; all else is told by its number. */
static bool is_printable(uint32_t code)
{
	return (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code < 0x2028)
			|| (code > 0x2029 && code < 0xd800) || (code > 0xdfff && code < 0xfefe)
			|| (code > 0xfeff && code < 0xfffe) || code > 0xffff;
}

static void append_string(struct buf *out, struct slice text)
{
	buf_append_byte(out, '"');
	while (text.len > 0) {
		size_t len = utf8_sequence(text);
		struct slice sequence = slice_first(text, len == 0 ? 1 : len);
		uint32_t code = len == 0 ? 0xfffd : code_point(sequence);
		text = slice_skip(text, sequence.len);
		if (code == '"' || code == '\\') {
			buf_append_byte(out, '\\');
		}
		if (is_printable(code) && len > 0) {
			buf_append(out, sequence);
		} else {
			buf_printf(out, "\\u%04x", (unsigned)code);
		}
	}
	buf_append_byte(out, '"');
}

/* ---- Rules ---- */

/* The name needs no quotes. */
static void append_expression(struct buf *out, struct slice alert, struct buf *expression)
{
	buf_printf(out, "      - alert: " SLICE_FMT "\n        expr: ", SLICE_ARG(alert));
	append_string(out, buf_slice(expression));
	buf_append_byte(out, '\n');
	buf_finish(expression);
}

static void append_labels(struct buf *out, const struct target *target, struct slice severity)
{
	char id[TARGET_ID_TEXT];
	target_id_format(&target->id, id);
	buf_printf(out, "        labels:\n          target: \"%.*s\"\n", TARGET_ID_TEXT, id);
	if (severity.len > 0) {
		buf_printf(out, "          severity: \"" SLICE_FMT "\"\n", SLICE_ARG(severity));
	}
}

/* {instance="i",job="j"}: what has other values of these is not selected. */
static struct slice selector_of(const struct target *target, struct arena *arena)
{
	return ARENA_JOIN(arena, SLICE("{"), group_key_text(&target->key, arena), SLICE("}"));
}

/* Where its page is scraped, that answers 503 by then, and there is no time on it. */
static void append_heartbeat(struct buf *out, const struct registry *registry,
		const struct target *target, struct slice selector)
{
	uint64_t intervals = target->config.silent_after;
	double seconds = (double)target->config.interval_ns / 1e9;
	char number[NUMBER_TEXT_MAX];
	struct buf expression;
	buf_init(&expression, 0);
	intervals = intervals > 0 ? intervals : registry->options.silent_after;
	buf_append(&expression, SLICE("time() - weir_target_last_seen_time_seconds"));
	buf_append(&expression, selector);
	buf_append(&expression, SLICE(" > "));
	buf_append(&expression, slice_make(number, number_format(seconds * (double)intervals, number)));
	buf_append(&expression, SLICE(" or up"));
	buf_append(&expression, selector);
	buf_append(&expression, SLICE(" == 0"));
	append_expression(out, SLICE("WeirHeartbeatMissed"), &expression);
	append_labels(out, target, SLICE("warning"));
	buf_append(out,
			SLICE("        annotations:\n"
				  "          summary: \"Nothing was heard of {{ $labels.job }} "
				  "{{ $labels.instance }} for longer than it may be quiet.\"\n"));
}

static void append_threshold(struct buf *out, const struct target *target,
		const struct target_threshold *threshold, struct slice selector)
{
	char number[NUMBER_TEXT_MAX];
	struct buf expression;
	buf_init(&expression, 0);
	buf_append(&expression, threshold->metric);
	buf_append(&expression, selector);
	buf_append_byte(&expression, ' ');
	buf_append(&expression, target_comparison_name(threshold->comparison));
	buf_append_byte(&expression, ' ');
	buf_append(&expression, slice_make(number, number_format(threshold->value, number)));
	append_expression(out, threshold->name, &expression);
	if (threshold->for_ns > 0) {
		buf_printf(out, "        for: %lldms\n", (long long)(threshold->for_ns / 1000000));
	}
	append_labels(out, target, threshold->severity);
	buf_append(out,
			SLICE("        annotations:\n"
				  "          summary: \"{{ $labels.job }} {{ $labels.instance }} is at "
				  "{{ $value }}.\"\n"));
}

static bool append_rules(struct targets_list *list, struct buf *out, const struct target *target)
{
	const struct target_config *config = &target->config;
	bool has_heartbeat = config->mode == TARGET_PUSH && config->interval_ns > 0;
	struct arena arena;
	if (config->is_disabled || (!has_heartbeat && config->threshold_count == 0)) {
		return false;
	}
	arena_init(&arena);
	struct slice selector = selector_of(target, &arena);
	if (has_heartbeat) {
		append_heartbeat(out, list->api->targets, target, selector);
	}
	for (size_t i = 0; i < config->threshold_count; i++) {
		append_threshold(out, target, &config->thresholds[i], selector);
	}
	arena_finish(&arena);
	return true;
}

static const struct targets_writer as_rules = {
	.content_type = SLICE_INIT("application/yaml"),
	.modes = TARGET_MODES_WATCHED,
	.begin = SLICE_INIT("groups:\n"
						"  - name: weir-targets\n"
						"    rules:\n"
						"      - alert: WeirTargetSilent\n"
						"        expr: weir_target_silent == 1\n"
						"        labels:\n"
						"          severity: warning\n"
						"        annotations:\n"
						"          summary: \"{{ $labels.job }} {{ $labels.instance }} has stopped "
						"pushing.\"\n"),
	.append = append_rules,
};

void rules_handle(struct api *api, struct exchange *exchange)
{
	if (!targets_are_loading(api, exchange)) {
		targets_list_answer(api, exchange, STATS_HANDLER_DISCOVERY, &as_rules, false);
	}
}
