#include "api/answer.h"
#include "api/endpoints.h"
#include "api/json_answer.h"
#include "api/targets_api.h"
#include "api/targets_list.h"
#include "api/targets_turn.h"
#include "targets/service_check.h"
#include "targets/service_json.h"
#include "targets/service_read.h"
#include "transfer/line_json.h"

/*
 * /api/v1/services: services as JSON, to be looked at and to be changed.
 *
 * What may be said of one depends on the others, so bodies are read when it is their turn.
 */

struct service_write {
	struct targets_turn turn;
	enum http_method method;
	struct slice name; /* of one that is there; of a new one as it is said */
	struct slice body;
};

static struct service_write *of(struct targets_turn *turn)
{
	return LIST_ENTRY(turn, struct service_write, turn);
}

/* ---- Lists ---- */

static bool append_service(struct targets_list *list, struct buf *out, const struct target *target)
{
	service_json_append(out, list->api->targets, target, SERVICE_LOOKED_AT_MAX_LISTED);
	return true;
}

static const struct targets_writer as_page = {
	.content_type = SLICE_INIT("application/json"),
	.modes = 1 << TARGET_SERVICE,
	.is_costly = true, /* circles are looked for */
	.begin = SLICE_INIT("{\"status\":\"success\",\"data\":{\"services\":["),
	.between = SLICE_INIT(","),
	.append = append_service,
	.end = targets_list_end_page,
};

/* ---- Answers ---- */

static void answer_service(
		struct api *api, struct exchange *exchange, int status, const struct target *target)
{
	struct buf out;
	buf_init(&out, 0);
	service_json_append(&out, api->targets, target, SERVICE_LOOKED_AT_MAX);
	json_answer_data(exchange, status, buf_slice(&out));
	buf_finish(&out);
	targets_answer(api, exchange);
}

static void answer_written(struct targets_turn *turn)
{
	struct service_write *write = of(turn);
	struct api *api = turn->write->api;
	struct exchange *exchange = turn->write->exchange;
	if (write->method == METHOD_DELETE) {
		answer_empty(exchange, 204);
		targets_answer(api, exchange);
		return;
	}
	const struct target *target = service_find_target(api->targets, write->name);
	if (target == NULL) {
		targets_answer_error(
				api, exchange, 409, SLICE("it was stored, and somebody else has deleted it since"));
		return;
	}
	if (write->method == METHOD_POST) {
		exchange_add_field(exchange, SLICE("Location"),
				ARENA_JOIN(&exchange->arena, api->options.routes.prefix, SLICE("/api/v1/services/"),
						write->name));
	}
	answer_service(api, exchange, write->method == METHOD_POST ? 201 : 200, target);
}

static void answer_refused(struct targets_turn *turn, int status, struct slice text)
{
	targets_answer_error(turn->write->api, turn->write->exchange, status, text);
}

/* ---- Changes ---- */

static bool refuse_fault(struct targets_turn *turn, enum service_fault fault, struct slice text)
{
	static const int statuses[] = {
		[SERVICE_E_MISSING] = 422,
		[SERVICE_E_WRONG] = 422,
		[SERVICE_E_CIRCLE] = 409,
		[SERVICE_E_IN_USE] = 409,
		[SERVICE_E_TOO_MANY] = 429,
	};
	return targets_turn_refuse(turn, statuses[fault], text);
}

/* False: it was refused. */
static bool read_body(struct service_write *write, struct service_read *read)
{
	struct arena *arena = targets_turn_arena(&write->turn);
	struct slice text;
	cJSON *tree = line_json_parse(write->body, arena, &text);
	if (tree == NULL) {
		return targets_turn_refuse(&write->turn, 400, ARENA_JOIN(arena, SLICE("no JSON: "), text));
	}
	bool is_good = service_read(read, tree, arena, &text);
	cJSON_Delete(tree);
	return is_good || targets_turn_refuse(&write->turn, 422, text);
}

/* Whether the service may become that. */
static bool check(struct service_write *write, const struct target_config *old,
		const struct target_config *config)
{
	const struct service_view view = {
		.registry = targets_turn_registry(&write->turn),
		.changed = { write->name, config },
	};
	const struct service before = { write->name, old };
	struct slice text;
	enum service_fault fault =
			service_check_change(&view, &before, targets_turn_arena(&write->turn), &text);
	return fault == SERVICE_OK || refuse_fault(&write->turn, fault, text);
}

static bool prepare_new(struct targets_turn *turn)
{
	struct service_write *write = of(turn);
	struct service_key *key = arena_alloc(targets_turn_arena(turn), sizeof(*key));
	struct service_read read = { .config = { .mode = TARGET_SERVICE } };
	if (!read_body(write, &read)) {
		return false;
	}
	if (read.name.len == 0) {
		return targets_turn_refuse(turn, 422, SLICE("a \"name\" is needed"));
	}
	write->name = read.name;
	service_key_init(key, write->name);
	const struct target *target = registry_find(targets_turn_registry(turn), &key->key);
	if (target != NULL) {
		bool is_service = target->config.mode == TARGET_SERVICE;
		return targets_turn_refuse(turn, 409,
				is_service ? SLICE("there is a service of this name already")
						   : SLICE("a target that is no service has the labels of this one"));
	}
	struct target_id id = target_id_of_key(&key->key);
	return check(write, NULL, &read.config)
			&& targets_turn_make(turn, &key->key, &read.config, &id);
}

static const struct target *find(struct service_write *write)
{
	const struct registry *registry = targets_turn_registry(&write->turn);
	bool is_name = service_is_name(write->name);
	const struct target *target = is_name ? service_find_target(registry, write->name) : NULL;
	if (target == NULL) {
		targets_turn_refuse(&write->turn, 404, SLICE("there is no such service"));
	}
	return target;
}

static bool prepare_change(struct targets_turn *turn)
{
	struct service_write *write = of(turn);
	const struct target *target = find(write);
	struct service_read read = { 0 };
	if (target == NULL) {
		return false;
	}
	read.config = write->method == METHOD_PATCH
			? target->config
			: service_config_empty(&target->config, targets_turn_arena(turn));
	if (!read_body(write, &read)) {
		return false;
	}
	if (read.name.len > 0 && !slice_equal(read.name, write->name)) {
		return targets_turn_refuse(turn, 422,
				SLICE("the name of a service does not change: make another, and delete it"));
	}
	return check(write, &target->config, &read.config)
			&& targets_turn_change(turn, target, &target->key, &read.config);
}

static bool prepare_deletion(struct targets_turn *turn)
{
	struct service_write *write = of(turn);
	struct slice text;
	const struct target *target = find(write);
	if (target == NULL) {
		return false;
	}
	enum service_fault fault = service_check_deletion(
			targets_turn_registry(turn), write->name, targets_turn_arena(turn), &text);
	return fault == SERVICE_OK ? targets_turn_delete(turn, target)
							   : refuse_fault(turn, fault, text);
}

/* ---- Requests ---- */

static void submit(struct api *api, struct exchange *exchange, struct slice name,
		bool (*prepare)(struct targets_turn *turn))
{
	struct service_write *write = arena_zalloc(&exchange->arena, 1, sizeof(*write));
	write->method = exchange->request.method;
	write->name = name;
	if (prepare != prepare_deletion
			&& !targets_take_body(api, exchange, TARGETS_BODY_MAX, &write->body)) {
		return;
	}
	targets_turn_init(&write->turn, api, exchange);
	write->turn.prepare = prepare;
	write->turn.answer = answer_written;
	write->turn.refuse = answer_refused;
	targets_turn_submit(&write->turn);
}

void services_handle(struct api *api, struct exchange *exchange)
{
	if (targets_are_loading(api, exchange)) {
		return;
	}
	if (exchange->request.method == METHOD_POST) {
		submit(api, exchange, SLICE(""), prepare_new);
	} else {
		answer_add_cors(exchange);
		targets_list_answer(api, exchange, STATS_HANDLER_API_TARGETS, &as_page, true);
	}
}

static void show(struct api *api, struct exchange *exchange, struct slice name)
{
	const struct target *target =
			service_is_name(name) ? service_find_target(api->targets, name) : NULL;
	if (target == NULL) {
		targets_answer_error(api, exchange, 404, SLICE("there is no such service"));
	} else {
		answer_service(api, exchange, 200, target);
	}
}

void service_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	if (targets_are_loading(api, exchange)) {
		return;
	}
	if (exchange->request.method == METHOD_DELETE) {
		submit(api, exchange, route->id, prepare_deletion);
	} else if (exchange->request.method == METHOD_PUT || exchange->request.method == METHOD_PATCH) {
		submit(api, exchange, route->id, prepare_change);
	} else {
		show(api, exchange, route->id);
	}
}
