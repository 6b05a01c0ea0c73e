#include "targets/targets_json.h"

#include "base/duration.h"
#include "base/number.h"
#include "format/json.h"
#include "targets/resources.h"

static void append_text(struct buf *out, const char *name, struct slice text)
{
	buf_printf(out, ",\"%s\":", name);
	json_append_string(out, text);
}

static void append_bool(struct buf *out, const char *name, bool value)
{
	buf_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

/* "" when there is none. */
static void append_duration(struct buf *out, const char *name, int64_t ns)
{
	char text[DURATION_TEXT_BYTES];
	append_text(out, name, ns == 0 ? SLICE("") : duration_format(ns, text));
}

static void append_time(struct buf *out, const char *name, int64_t unix_ns)
{
	buf_printf(out, ",\"%s\":", name);
	if (unix_ns == 0) {
		buf_append(out, SLICE("null"));
	} else {
		json_append_time(out, unix_ns);
	}
}

void targets_json_append_labels(struct buf *out, const struct labels *labels)
{
	buf_append_byte(out, '{');
	for (size_t i = 0; i < labels->count; i++) {
		buf_append(out, i > 0 ? SLICE(",") : SLICE(""));
		json_append_escaped(out, labels->pairs[i].name);
		buf_append_byte(out, ':');
		json_append_escaped(out, labels->pairs[i].value);
	}
	buf_append_byte(out, '}');
}

void targets_json_append_threshold_fields(struct buf *out, const struct target_threshold *threshold)
{
	char number[NUMBER_TEXT_MAX];
	buf_append(out, SLICE("\"name\":"));
	json_append_string(out, threshold->name);
	append_text(out, "metric", threshold->metric);
	append_text(out, "op", target_comparison_name(threshold->comparison));
	buf_append(out, SLICE(",\"value\":"));
	buf_append(out, slice_make(number, number_format(threshold->value, number)));
	append_duration(out, "for", threshold->for_ns);
	append_text(out, "severity", threshold->severity);
}

void targets_json_append_thresholds(struct buf *out, const struct target_config *config)
{
	buf_append_byte(out, '[');
	for (size_t i = 0; i < config->threshold_count; i++) {
		buf_append(out, i > 0 ? SLICE(",") : SLICE(""));
		buf_append_byte(out, '{');
		targets_json_append_threshold_fields(out, &config->thresholds[i]);
		buf_append_byte(out, '}');
	}
	buf_append_byte(out, ']');
}

static void append_config(struct buf *out, const struct target *target)
{
	const struct target_config *config = &target->config;
	char id[TARGET_ID_TEXT];
	target_id_format(&target->id, id);
	buf_append(out, SLICE("{\"id\":"));
	json_append_string(out, slice_make(id, sizeof(id)));
	buf_append(out, SLICE(",\"labels\":"));
	targets_json_append_labels(out, &target->key.labels);
	append_text(out, "mode", target_mode_name(config->mode));
	append_bool(out, "enabled", !config->is_disabled);
	append_text(out, "address", config->address);
	append_text(out, "scheme", config->scheme);
	append_text(out, "path", config->path);
	append_duration(out, "scrape_interval", config->scrape_interval_ns);
	append_duration(out, "scrape_timeout", config->scrape_timeout_ns);
	append_duration(out, "interval", config->interval_ns);
	buf_printf(out, ",\"silent_after\":%llu", (unsigned long long)config->silent_after);
	buf_append(out, SLICE(",\"attributes\":"));
	targets_json_append_labels(out, &config->attributes);
	buf_append(out, SLICE(",\"thresholds\":"));
	targets_json_append_thresholds(out, config);
	append_bool(out, "configured", target->is_configured);
}

void targets_json_append_config(struct buf *out, const struct target *target)
{
	append_config(out, target);
	buf_append_byte(out, '}');
}

static void append_addresses(struct buf *out, const struct target *target)
{
	const struct addresses *addresses = target->addresses;
	buf_append(out, SLICE(",\"addresses\":["));
	for (size_t i = 0; addresses != NULL && i < addresses->count; i++) {
		buf_append(out, i > 0 ? SLICE(",") : SLICE(""));
		json_append_string(out, addresses->all[i]);
	}
	buf_append_byte(out, ']');
}

void targets_json_append(struct buf *out, const struct registry *registry,
		const struct target *target, bool with_resources)
{
	const struct target_freshness *fresh = &target->fresh;
	append_config(out, target);
	append_text(out, "state", target_state_name(registry_state(registry, target)));
	append_addresses(out, target);
	append_time(out, "first_seen", fresh->first_seen_ns);
	append_time(out, "last_seen", fresh->last_seen_ns);
	buf_printf(out, ",\"pushes\":%llu", (unsigned long long)fresh->pushes);
	append_text(out, "format", slice_of_string(fresh->format));
	append_text(out, "source", slice_of_string(fresh->source));
	append_duration(out, "learnt_interval", registry_learnt_ns(target));
	if (with_resources && target_is_watched(target)) {
		buf_append(out, SLICE(",\"resources\":"));
		resources_append(out, registry, target);
	}
	if (fresh->rejection == NULL) {
		buf_append(out, SLICE(",\"last_rejection\":null}"));
		return;
	}
	buf_append(out, SLICE(",\"last_rejection\":{\"time\":"));
	json_append_time(out, fresh->rejected_ns);
	append_text(out, "reason", slice_of_string(fresh->rejection));
	buf_append(out, SLICE("}}"));
}
