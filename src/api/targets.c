#include "api/answer.h"
#include "api/endpoints.h"
#include "api/targets_api.h"
#include "api/targets_list.h"
#include "api/targets_write.h"
#include "targets/targets_json.h"
#include "targets/targets_read.h"
#include "transfer/line_json.h"

/*
 * /api/v1/targets: targets as JSON, to be looked at and to be changed.
 */

/* ---- Lists ---- */

static bool append_target(struct targets_list *list, struct buf *out, const struct target *target)
{
	targets_json_append(out, list->api->targets, target, list->query.with_resources);
	return true;
}

static bool append_line(struct targets_list *list, struct buf *out, const struct target *target)
{
	targets_json_append_config(out, target);
	buf_append_byte(out, '\n');
	return true;
}

static const struct targets_writer as_page = {
	.content_type = SLICE_INIT("application/json"),
	.modes = TARGET_MODES_WATCHED,
	.modes_asked = TARGET_MODES_ALL,
	.begin = SLICE_INIT("{\"status\":\"success\",\"data\":{\"targets\":["),
	.between = SLICE_INIT(","),
	.append = append_target,
	.end = targets_list_end_page,
};

static const struct targets_writer as_lines = {
	.content_type = SLICE_INIT("application/x-ndjson; charset=utf-8"),
	.modes = TARGET_MODES_ALL,
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

/* NULL: it is gone again, and the exchange was answered. */
static const struct target *find_written(const struct targets_write *write)
{
	const struct target *target =
			registry_find_by_id(write->api->targets, &write->change.items[0].id);
	if (target == NULL) {
		targets_answer_error(write->api, write->exchange, 409,
				SLICE("it was stored, and somebody else has deleted it since"));
	}
	return target;
}

static void answer_created(struct targets_write *write)
{
	struct exchange *exchange = write->exchange;
	struct arena *arena = &exchange->arena;
	const struct target *target = find_written(write);
	if (target != NULL) {
		exchange_add_field(exchange, SLICE("Location"),
				ARENA_JOIN(arena, write->api->options.routes.prefix, SLICE("/api/v1/targets/"),
						id_text(target, arena)));
		targets_answer_target(write->api, exchange, 201, target);
	}
}

static void create(struct api *api, struct exchange *exchange)
{
	struct targets_read read = { 0 };
	if (!read_body(api, exchange, &read)) {
		return;
	}
	if (read.key.labels.count == 0) {
		targets_answer_error(api, exchange, 422, SLICE("\"labels\" are needed, a job among them"));
		return;
	}
	struct targets_write *write =
			targets_write_create(api, exchange, TARGET_CHANGE_CREATE, 1, answer_created);
	write->change.items[0].key = read.key;
	write->change.items[0].config = read.config;
	write->change.items[0].id = read.id;
	write->change.items[0].has_id = read.has_id;
	targets_write_submit(write);
}

void targets_handle(struct api *api, struct exchange *exchange)
{
	if (exchange->request.method == METHOD_GET) {
		list_targets(api, exchange, &as_page, true);
	} else if (!targets_are_loading(api, exchange)) {
		create(api, exchange);
	}
}

/* ---- One ---- */

/* NULL: the exchange was answered. */
static struct target *find_target(struct api *api, struct exchange *exchange, struct slice text)
{
	struct target_id id;
	struct target *target = NULL;
	if (targets_are_loading(api, exchange)) {
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

static void answer_updated(struct targets_write *write)
{
	const struct target *target = find_written(write);
	if (target != NULL) {
		targets_answer_target(write->api, write->exchange, 200, target);
	}
}

/* The texts of the configuration are copied: the target's may be gone before it is stored. */
static void configure(struct api *api, struct exchange *exchange, const struct target *target,
		const struct target_config *config)
{
	struct targets_write *write =
			targets_write_create(api, exchange, TARGET_CHANGE_CONFIGURE, 1, answer_updated);
	struct target_change_item *item = write->change.items;
	item->id = target->id;
	item->key.labels = labels_copy(&target->key.labels,
			arena_alloc(&exchange->arena, labels_copy_bytes(&target->key.labels) + 1));
	item->config = target_config_copy(config, &exchange->arena);
	item->edits = target->edits;
	targets_write_submit(write);
}

static void answer_deleted(struct targets_write *write)
{
	answer_empty(write->exchange, 204);
	targets_answer(write->api, write->exchange);
}

static void delete_target(struct api *api, struct exchange *exchange, const struct target *target)
{
	struct targets_write *write =
			targets_write_create(api, exchange, TARGET_CHANGE_DELETE, 1, answer_deleted);
	write->change.items[0].id = target->id;
	targets_write_submit(write);
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
	configure(api, exchange, target, &read.config);
}

void target_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	struct target *target = find_target(api, exchange, route->id);
	if (target == NULL) {
		return;
	}
	switch (exchange->request.method) {
	case METHOD_DELETE:
		delete_target(api, exchange, target);
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
		targets_answer_target(api, exchange, 200, target);
		return;
	}
}

/* ---- Actions ---- */

static void set_disabled(
		struct api *api, struct exchange *exchange, const struct target *target, bool is_disabled)
{
	struct target_config config = target->config;
	config.is_disabled = is_disabled;
	configure(api, exchange, target, &config);
}

void target_action_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	struct target *target = find_target(api, exchange, route->id);
	if (target == NULL) {
		return;
	}
	if (slice_equal(route->action, SLICE("heartbeat"))) {
		registry_heartbeat(api->targets, target);
		targets_answer_target(api, exchange, 200, target);
	} else if (slice_equal(route->action, SLICE("enable"))) {
		set_disabled(api, exchange, target, false);
	} else if (slice_equal(route->action, SLICE("disable"))) {
		set_disabled(api, exchange, target, true);
	} else {
		targets_answer_error(api, exchange, 404,
				SLICE("a target knows heartbeat, enable and disable, and nothing else"));
	}
}
