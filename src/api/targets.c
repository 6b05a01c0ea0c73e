#include "api/answer.h"
#include "api/endpoints.h"
#include "api/targets_api.h"
#include "api/targets_list.h"
#include "targets/targets_json.h"
#include "targets/targets_read.h"
#include "transfer/line_json.h"

/*
 * /api/v1/targets: targets as JSON, to be looked at and to be changed.
 */

/* ---- Lists ---- */

static bool append_target(struct targets_list *list, struct buf *out, const struct target *target)
{
	targets_json_append(out, list->api->targets, target);
	return true;
}

static void append_end(struct targets_list *list, struct buf *out)
{
	buf_printf(out, "],\"total\":%zu,\"offset\":%zu,\"limit\":%zu}}\n", list->found,
			list->query.offset, list->query.limit);
}

static bool append_line(struct targets_list *list, struct buf *out, const struct target *target)
{
	targets_json_append_config(out, target);
	buf_append_byte(out, '\n');
	return true;
}

static const struct targets_writer as_page = {
	.content_type = SLICE_INIT("application/json"),
	.begin = SLICE_INIT("{\"status\":\"success\",\"data\":{\"targets\":["),
	.between = SLICE_INIT(","),
	.append = append_target,
	.end = append_end,
};

static const struct targets_writer as_lines = {
	.content_type = SLICE_INIT("application/x-ndjson; charset=utf-8"),
	.append = append_line,
};

static void list_targets(struct api *api, struct exchange *exchange,
		const struct targets_writer *writer, bool has_pages)
{
	if (!targets_are_loading(api, exchange)) {
		answer_add_cors(exchange);
		targets_list_answer(api, exchange, STATS_HANDLER_API_TARGETS, writer, has_pages);
	}
}

void targets_export_handle(struct api *api, struct exchange *exchange)
{
	list_targets(api, exchange, &as_lines, false);
}

/* ---- Reading ---- */

/* Into what is there already. False when the exchange was answered with what is wrong. */
static bool read_body(struct api *api, struct exchange *exchange, struct targets_read *read)
{
	struct arena *arena = &exchange->arena;
	struct slice body;
	struct slice text;
	if (!targets_take_body(api, exchange, TARGETS_BODY_MAX, &body)) {
		return false;
	}
	cJSON *tree = line_json_parse(body, arena, &text);
	if (tree == NULL) {
		targets_answer_error(api, exchange, 400, ARENA_JOIN(arena, SLICE("no JSON: "), text));
		return false;
	}
	bool is_good = targets_read(read, tree, &api->options.format_options, arena, &text);
	cJSON_Delete(tree);
	if (!is_good) {
		targets_answer_error(api, exchange, 422, text);
	}
	return is_good;
}

static struct slice id_text(const struct target *target, struct arena *arena)
{
	char *text = arena_text(arena, TARGET_ID_TEXT);
	target_id_format(&target->id, text);
	return slice_make(text, TARGET_ID_TEXT);
}

/* ---- One more ---- */

static void answer_created(struct api *api, struct exchange *exchange, const struct target *target)
{
	struct arena *arena = &exchange->arena;
	struct slice location = ARENA_JOIN(
			arena, api->options.routes.prefix, SLICE("/api/v1/targets/"), id_text(target, arena));
	targets_set_target(api, exchange, 201, target);
	targets_answer_when_stored(api, exchange, location);
}

static void create(struct api *api, struct exchange *exchange)
{
	struct targets_read read = { 0 };
	struct target *target;
	if (!read_body(api, exchange, &read)) {
		return;
	}
	if (read.key.labels.count == 0) {
		targets_answer_error(api, exchange, 422, SLICE("\"labels\" are needed, a job among them"));
		return;
	}
	switch (registry_create(
			api->targets, &read.key, &read.config, read.has_id ? &read.id : NULL, &target)) {
	case REGISTRY_OK:
		answer_created(api, exchange, target);
		return;
	case REGISTRY_E_EXISTS:
		targets_answer_error(api, exchange, 409,
				ARENA_JOIN(&exchange->arena, SLICE("there is such a target already: "),
						id_text(target, &exchange->arena)));
		return;
	case REGISTRY_E_LIMIT:
		targets_answer_error(
				api, exchange, 429, SLICE("there are too many targets (--targets.limit)"));
		return;
	}
}

void targets_handle(struct api *api, struct exchange *exchange)
{
	if (exchange->request.method == METHOD_GET) {
		list_targets(api, exchange, &as_page, true);
	} else if (!targets_are_away(api, exchange)) {
		create(api, exchange);
	}
}

/* ---- One ---- */

/* NULL: the exchange was answered. */
static struct target *find_target(struct api *api, struct exchange *exchange, struct slice text)
{
	struct target_id id;
	struct target *target = NULL;
	bool is_change = exchange->request.method != METHOD_GET;
	if (is_change ? targets_are_away(api, exchange) : targets_are_loading(api, exchange)) {
		return NULL;
	}
	if (target_id_parse(text, &id)) {
		target = registry_find_by_id(api->targets, &id);
	}
	if (target == NULL) {
		targets_answer_error(api, exchange, 404, SLICE("there is no such target"));
	}
	return target;
}

/* All of its configuration, or, patched, what is said of it. */
static void update(struct api *api, struct exchange *exchange, struct target *target)
{
	struct targets_read read = { .key = target->key };
	if (exchange->request.method == METHOD_PATCH) {
		read.config = target->config;
	}
	if (!read_body(api, exchange, &read)) {
		return;
	}
	bool is_other = !group_key_equal_normalised(&read.key, &target->key)
			|| (read.has_id && !target_id_equal(&read.id, &target->id));
	if (is_other) {
		targets_answer_error(api, exchange, 422,
				SLICE("the id and the labels of a target do not change: delete it, and make "
					  "another"));
		return;
	}
	registry_configure(api->targets, target, &read.config);
	targets_set_target(api, exchange, 200, target);
	targets_answer_when_stored(api, exchange, SLICE(""));
}

void target_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	struct target *target = find_target(api, exchange, route->id);
	if (target == NULL) {
		return;
	}
	switch (exchange->request.method) {
	case METHOD_DELETE:
		registry_delete(api->targets, target);
		answer_empty(exchange, 204);
		targets_answer_when_stored(api, exchange, SLICE(""));
		return;
	case METHOD_PATCH:
	case METHOD_PUT:
		update(api, exchange, target);
		return;
	case METHOD_GET:
	case METHOD_HEAD:
	case METHOD_OPTIONS:
	case METHOD_POST:
	case METHOD_OTHER:
		targets_set_target(api, exchange, 200, target);
		targets_answer(api, exchange);
		return;
	}
}

/* ---- Actions ---- */

static void set_disabled(struct api *api, struct target *target, bool is_disabled)
{
	struct target_config config = target->config;
	config.is_disabled = is_disabled;
	registry_configure(api->targets, target, &config);
}

void target_action_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	struct target *target = find_target(api, exchange, route->id);
	if (target == NULL) {
		return;
	}
	if (slice_equal(route->action, SLICE("heartbeat"))) {
		registry_heartbeat(api->targets, target);
	} else if (slice_equal(route->action, SLICE("enable"))) {
		set_disabled(api, target, false);
	} else if (slice_equal(route->action, SLICE("disable"))) {
		set_disabled(api, target, true);
	} else {
		targets_answer_error(api, exchange, 404,
				SLICE("a target knows heartbeat, enable and disable, and nothing else"));
		return;
	}
	targets_set_target(api, exchange, 200, target);
	targets_answer_when_stored(api, exchange, SLICE(""));
}
