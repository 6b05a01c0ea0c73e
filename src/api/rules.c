#include "api/answer.h"
#include "api/endpoints.h"
#include "api/targets_api.h"
#include "api/targets_list.h"
#include "base/number.h"
#include "base/utf8.h"
#include "targets/service.h"

/*
 * What is wanted of targets and of services as rules for Prometheus.
 *
 * Label values are in expressions alone, where they are quoted: everything else may be a
 * template to Prometheus. Rules of the same name are told apart by the target's id, or by the
 * service's name, which needs no quotes anywhere.
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

/* Whom it is about, by which rules of the same name are told apart. */
struct subject {
	const char *label;
	struct slice name;     /* needs no quotes */
	struct slice selector; /* of its series */
};

static void append_labels(struct buf *out, const struct subject *subject, struct slice severity)
{
	buf_printf(out, "        labels:\n          %s: \"" SLICE_FMT "\"\n", subject->label,
			SLICE_ARG(subject->name));
	if (severity.len > 0) {
		buf_printf(out, "          severity: \"" SLICE_FMT "\"\n", SLICE_ARG(severity));
	}
}

/* {instance="i",job="j"}: what has other values of these is not selected. */
static struct subject of_target(const struct target *target, struct arena *arena)
{
	char *id = arena_text(arena, TARGET_ID_TEXT);
	target_id_format(&target->id, id);
	return (struct subject){
		.label = "target",
		.name = slice_make(id, TARGET_ID_TEXT),
		.selector = ARENA_JOIN(arena, SLICE("{"), group_key_text(&target->key, arena), SLICE("}")),
	};
}

static struct subject of_service(const struct service *service, struct arena *arena)
{
	return (struct subject){
		.label = "service",
		.name = service->name,
		.selector = ARENA_JOIN(arena, SLICE("{service=\""), service->name, SLICE("\"}")),
	};
}

/* Where its page is scraped, that answers 503 by then, and there is no time on it. */
static void append_heartbeat(struct buf *out, const struct registry *registry,
		const struct target *target, const struct subject *subject)
{
	uint64_t intervals = target->config.silent_after;
	double seconds = (double)registry_wanted_ns(target) / 1e9;
	char number[NUMBER_TEXT_MAX];
	struct buf expression;
	buf_init(&expression, 0);
	intervals = intervals > 0 ? intervals : registry->options.silent_after;
	buf_append(&expression, SLICE("time() - weir_target_last_seen_time_seconds"));
	buf_append(&expression, subject->selector);
	buf_append(&expression, SLICE(" > "));
	buf_append(&expression, slice_make(number, number_format(seconds * (double)intervals, number)));
	buf_append(&expression, SLICE(" or up"));
	buf_append(&expression, subject->selector);
	buf_append(&expression, SLICE(" == 0"));
	append_expression(out, SLICE("WeirHeartbeatMissed"), &expression);
	append_labels(out, subject, SLICE("warning"));
	buf_append(out,
			SLICE("        annotations:\n"
				  "          summary: \"Nothing was heard of {{ $labels.job }} "
				  "{{ $labels.instance }} for longer than it may be quiet.\"\n"));
}

static void append_threshold(
		struct buf *out, const struct subject *subject, const struct target_threshold *threshold)
{
	char number[NUMBER_TEXT_MAX];
	struct buf expression;
	buf_init(&expression, 0);
	buf_append(&expression, threshold->metric);
	buf_append(&expression, subject->selector);
	buf_append_byte(&expression, ' ');
	buf_append(&expression, target_comparison_name(threshold->comparison));
	buf_append_byte(&expression, ' ');
	buf_append(&expression, slice_make(number, number_format(threshold->value, number)));
	append_expression(out, threshold->name, &expression);
	if (threshold->for_ns > 0) {
		buf_printf(out, "        for: %lldms\n", (long long)(threshold->for_ns / 1000000));
	}
	append_labels(out, subject, threshold->severity);
	buf_append(out,
			SLICE("        annotations:\n"
				  "          summary: \"{{ $labels.job }} {{ $labels.instance }} is at "
				  "{{ $value }}.\"\n"));
}

static bool append_target(struct targets_list *list, struct buf *out, const struct target *target)
{
	const struct target_config *config = &target->config;
	bool has_heartbeat = config->mode == TARGET_PUSH && registry_wanted_ns(target) > 0;
	struct arena arena;
	if (!has_heartbeat && config->threshold_count == 0) {
		return false;
	}
	arena_init(&arena);
	struct subject subject = of_target(target, &arena);
	if (has_heartbeat) {
		append_heartbeat(out, list->api->targets, target, &subject);
	}
	for (size_t i = 0; i < config->threshold_count; i++) {
		append_threshold(out, &subject, &config->thresholds[i]);
	}
	arena_finish(&arena);
	return true;
}

/* ---- Of services ---- */

/* For a minute, so that a restart is no alert. */
static void append_range(struct buf *out, const struct subject *subject, const char *alert,
		const char *comparison, struct slice count, const char *wanted)
{
	struct buf expression;
	buf_init(&expression, 0);
	buf_printf(&expression, "weir_service_active_instances" SLICE_FMT " %s " SLICE_FMT,
			SLICE_ARG(subject->selector), comparison, SLICE_ARG(count));
	append_expression(out, slice_of_string(alert), &expression);
	buf_append(out, SLICE("        for: 1m\n"));
	append_labels(out, subject, SLICE("warning"));
	buf_printf(out,
			"        annotations:\n"
			"          summary: \"" SLICE_FMT " has {{ $value }} active instances, and shall have "
			"%s " SLICE_FMT ".\"\n",
			SLICE_ARG(subject->name), wanted, SLICE_ARG(count));
}

static void append_ranges(
		struct buf *out, const struct subject *subject, const struct service_whole *whole)
{
	struct slice min = whole->texts[SERVICE_MIN];
	struct slice max = whole->texts[SERVICE_MAX];
	if (service_is_empty_range(whole)) {
		return; /* which is told otherwise, and no alert would end */
	}
	if (min.ptr != NULL && service_count(min) > 0) {
		append_range(out, subject, "WeirServiceTooFewInstances", "<", min, "at least");
	}
	if (max.ptr != NULL) {
		append_range(out, subject, "WeirServiceTooManyInstances", ">", max, "at most");
	}
}

static bool append_service(struct targets_list *list, struct buf *out, const struct target *target)
{
	const struct service_view view = { .registry = list->api->targets };
	struct service service = service_of(target);
	struct service_whole whole;
	struct arena arena;
	size_t len = out->len;
	arena_init(&arena);
	service_resolve(&view, service, &whole);
	struct subject subject = of_service(&service, &arena);
	append_ranges(out, &subject, &whole);
	for (size_t i = 0; i < whole.len; i++) {
		const struct target_config *config = whole.line[i].config;
		for (size_t j = 0; j < config->threshold_count; j++) {
			if (!service_is_overridden(&whole, i, j)) {
				append_threshold(out, &subject, &config->thresholds[j]);
			}
		}
	}
	arena_finish(&arena);
	return out->len > len;
}

/* ---- All of them ---- */

static bool append_rules(struct targets_list *list, struct buf *out, const struct target *target)
{
	if (target->config.is_disabled) {
		return false;
	}
	return target->config.mode == TARGET_SERVICE ? append_service(list, out, target)
												 : append_target(list, out, target);
}

static const struct targets_writer as_rules = {
	.content_type = SLICE_INIT("application/yaml"),
	.modes = TARGET_MODES_WATCHED | 1 << TARGET_SERVICE,
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
