#include "targets/service_json.h"

#include "base/duration.h"
#include "base/number.h"
#include "format/json.h"
#include "targets/members.h"
#include "targets/service_check.h"
#include "targets/targets_json.h"

static void begin_member(struct buf *out, struct slice name)
{
	buf_printf(out, ",\"" SLICE_FMT "\":", SLICE_ARG(name));
}

static void append_text(struct buf *out, struct slice text)
{
	if (text.ptr == NULL) {
		buf_append(out, SLICE("null"));
	} else {
		json_append_string(out, text);
	}
}

static void append_list(struct buf *out, struct slice list)
{
	bool is_first = true;
	buf_append_byte(out, '[');
	while (list.len > 0) {
		buf_append(out, is_first ? SLICE("") : SLICE(","));
		json_append_string(out, service_take(&list));
		is_first = false;
	}
	buf_append_byte(out, ']');
}

/* As JSON has it, however somebody wrote it. */
static void append_number(struct buf *out, struct slice text)
{
	char number[NUMBER_TEXT_MAX];
	if (text.ptr == NULL) {
		buf_append(out, SLICE("null"));
	} else if (number_is_uint(text)) {
		buf_append(out, text);
	} else {
		buf_append(out, slice_make(number, number_format(number_value(text), number)));
	}
}

static void append_heartbeat(struct buf *out, int64_t ns)
{
	char text[DURATION_TEXT_BYTES];
	append_text(out, ns == 0 ? slice_make(NULL, 0) : duration_format(ns, text));
}

static void append_value(
		struct buf *out, enum service_field field, struct slice text, int64_t heartbeat_ns)
{
	begin_member(out, service_field_name(field));
	switch (field) {
	case SERVICE_IMAGE:
		append_text(out, text);
		return;
	case SERVICE_PORTS:
	case SERVICE_DEPENDENCIES:
		if (text.ptr == NULL) {
			buf_append(out, SLICE("null"));
		} else {
			append_list(out, text);
		}
		return;
	case SERVICE_MIN:
	case SERVICE_MAX:
	case SERVICE_CPU:
	case SERVICE_MEMORY:
		append_number(out, text);
		return;
	case SERVICE_HEARTBEAT:
		append_heartbeat(out, heartbeat_ns);
		return;
	case SERVICE_FIELD_COUNT:
		return;
	}
}

/* ---- Its parts ---- */

/* As far as they count, so that they can be given back. */
static void append_own_thresholds(struct buf *out, const struct service_whole *whole)
{
	const struct target_config *config = whole->line[0].config;
	buf_append_byte(out, '[');
	for (size_t i = 0; i < config->threshold_count; i++) {
		if (!service_is_overridden(whole, 0, i)) {
			buf_append(out, i > 0 ? SLICE(",{") : SLICE("{"));
			targets_json_append_threshold_fields(out, &config->thresholds[i]);
			buf_append_byte(out, '}');
		}
	}
	buf_append_byte(out, ']');
}

static void append_own(
		struct buf *out, const struct target *target, const struct service_whole *whole)
{
	const struct target_config *config = &target->config;
	char id[TARGET_ID_TEXT];
	target_id_format(&target->id, id);
	buf_append(out, SLICE("{\"id\":"));
	json_append_string(out, slice_make(id, sizeof(id)));
	begin_member(out, SLICE("name"));
	json_append_string(out, target_label(target, SLICE("instance")));
	begin_member(out, SLICE("active"));
	buf_append(out, config->is_disabled ? SLICE("false") : SLICE("true"));
	begin_member(out, SLICE("parent"));
	append_text(out, service_parent(config));
	for (enum service_field i = 0; i < SERVICE_FIELD_COUNT; i++) {
		append_value(out, i, service_text(config, i), config->interval_ns);
	}
	begin_member(out, SLICE("thresholds"));
	append_own_thresholds(out, whole);
}

/* With the service that it has it from. */
static void append_threshold(
		struct buf *out, const struct target_threshold *threshold, struct slice name)
{
	buf_append_byte(out, '{');
	targets_json_append_threshold_fields(out, threshold);
	begin_member(out, SLICE("service"));
	json_append_string(out, name);
	buf_append_byte(out, '}');
}

/* Its own, and those of its parents that have other names. */
static void append_thresholds(struct buf *out, const struct service_whole *whole)
{
	bool is_first = true;
	buf_append_byte(out, '[');
	for (size_t i = 0; i < whole->len; i++) {
		const struct target_config *config = whole->line[i].config;
		for (size_t j = 0; j < config->threshold_count; j++) {
			if (!service_is_overridden(whole, i, j)) {
				buf_append(out, is_first ? SLICE("") : SLICE(","));
				append_threshold(out, &config->thresholds[j], whole->line[i].name);
				is_first = false;
			}
		}
	}
	buf_append_byte(out, ']');
}

static void append_resolved(struct buf *out, const struct service_whole *whole)
{
	begin_member(out, SLICE("resolved"));
	size_t begin = out->len;
	for (enum service_field i = 0; i < SERVICE_FIELD_COUNT; i++) {
		append_value(out, i, whole->texts[i], whole->heartbeat_ns);
	}
	out->ptr[begin] = '{'; /* in place of the first comma */
	begin_member(out, SLICE("thresholds"));
	append_thresholds(out, whole);
	buf_append_byte(out, '}');
}

/* From whom it has what. */
static void append_inherited(struct buf *out, const struct service_whole *whole)
{
	bool is_first = true;
	begin_member(out, SLICE("inherited"));
	buf_append_byte(out, '{');
	for (enum service_field i = 0; i < SERVICE_FIELD_COUNT; i++) {
		size_t place = whole->places[i];
		if (place != SERVICE_NOWHERE && place > 0) {
			buf_append(out, is_first ? SLICE("") : SLICE(","));
			json_append_string(out, service_field_name(i));
			buf_append_byte(out, ':');
			json_append_string(out, whole->line[place].name);
			is_first = false;
		}
	}
	buf_append_byte(out, '}');
}

static void append_problems(struct buf *out, const struct service_view *view,
		const struct service_whole *whole, size_t looked_at_max, struct arena *arena)
{
	struct service_problems problems;
	service_find_problems(view, whole, looked_at_max, arena, &problems);
	begin_member(out, SLICE("problems"));
	buf_append_byte(out, '[');
	for (size_t i = 0; i < problems.count; i++) {
		buf_append(out, i > 0 ? SLICE(",") : SLICE(""));
		json_append_string(out, problems.all[i]);
	}
	buf_append_byte(out, ']');
}

void service_json_append(struct buf *out, const struct registry *registry,
		const struct target *target, size_t looked_at_max)
{
	const struct service_view view = { .registry = registry };
	struct service service = service_of(target);
	struct service_whole whole;
	struct arena arena;
	arena_init(&arena);
	service_resolve(&view, service, &whole);
	append_own(out, target, &whole);
	append_resolved(out, &whole);
	append_inherited(out, &whole);
	begin_member(out, SLICE("instances"));
	buf_printf(out, "%zu", members_active(registry, service.name));
	append_problems(out, &view, &whole, looked_at_max, &arena);
	buf_append_byte(out, '}');
	arena_finish(&arena);
}
