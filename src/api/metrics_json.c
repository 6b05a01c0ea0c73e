#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/json_answer.h"
#include "api/json_groups.h"
#include "api/task.h"
#include "base/memory.h"

/* The groups as a response body, with what was asked for. */
struct metrics_json {
	struct json_groups groups;
	struct api_task task; /* what comes behind on the same connection waits */
	struct api *api;
	struct arena arena;
	struct selectors selectors;
	struct http_body *body;
};

/* ---- What is asked for ---- */

static struct slice describe_error(struct arena *arena, const struct selector_error *error)
{
	return arena_printf(arena, "invalid parameter \"match[]\": 1:%zu: parse error: " SLICE_FMT,
			error->position + 1, SLICE_ARG(error->what));
}

/* One name=value of the query. */
static bool read_parameter(struct metrics_json *json, struct slice pair, struct slice *reterr_text)
{
	const char *equals = slice_find_byte(pair, '=');
	struct slice raw_name = equals == NULL ? pair : slice_between(pair.ptr, equals);
	struct slice raw_value = slice_skip(pair, raw_name.len + (equals != NULL));
	struct slice name;
	struct slice value;
	struct selector_error error;
	if (!answer_decode_query(raw_name, &json->arena, &name)
			|| !slice_equal(name, SLICE("match[]"))) {
		return true;
	}
	if (!answer_decode_query(raw_value, &json->arena, &value)) {
		*reterr_text = SLICE("invalid parameter \"match[]\": invalid URL escape");
		return false;
	}
	if (!selectors_add(&json->selectors, value, &json->arena, &error)) {
		*reterr_text = describe_error(&json->arena, &error);
		return false;
	}
	return true;
}

static bool read_query(struct metrics_json *json, struct slice query, struct slice *reterr_text)
{
	while (query.len > 0) {
		const char *and = slice_find_byte(query, '&');
		struct slice pair = and == NULL ? query : slice_between(query.ptr, and);
		query = slice_skip(query, pair.len + (and != NULL));
		if (!read_parameter(json, pair, reterr_text)) {
			return false;
		}
	}
	return true;
}

/* ---- Answers ---- */

static void set_error(struct api *api, struct exchange *exchange, struct slice text)
{
	json_answer_fault(exchange, 400, SLICE("bad_data"), text);
	stats_count_request(api->stats, STATS_HANDLER_API_METRICS, STATS_METHOD_GET, 400);
}

static void close_json(struct worked_source *source)
{
	struct json_groups *groups = LIST_ENTRY(source, struct json_groups, source);
	struct metrics_json *json = LIST_ENTRY(groups, struct metrics_json, groups);
	json_groups_finish(groups);
	api_task_end(&json->task);
	arena_finish(&json->arena);
	free(json);
}

/* There is a first piece, or none because a regular expression takes too long. */
static void on_first(void *data)
{
	struct metrics_json *json = data;
	struct http_body *body = json->body;
	struct exchange *exchange = json->task.exchange;
	json->task.exchange = NULL;
	if (worked_body_has_failed(body)) {
		set_error(json->api, exchange,
				SLICE("invalid parameter \"match[]\": a regular expression takes too many steps "
					  "on a value"));
		exchange_answer(exchange);
		body->close(body);
		return;
	}
	exchange->response.status = 200;
	exchange->response.content_type = SLICE("application/json");
	exchange->response.stream = body;
	stats_count_request(json->api->stats, STATS_HANDLER_API_METRICS, STATS_METHOD_GET, 200);
	exchange_answer(exchange);
}

static struct metrics_json *create(struct api *api)
{
	struct metrics_json *json = memory_zalloc(1, sizeof(*json));
	json->api = api;
	arena_init(&json->arena);
	return json;
}

void metrics_json_handle(struct api *api, struct exchange *exchange)
{
	struct metrics_json *json = create(api);
	struct slice fault;
	if (!read_query(json, exchange->request.query, &fault)) {
		set_error(api, exchange, fault);
		arena_finish(&json->arena);
		free(json);
		exchange_answer(exchange);
		return;
	}
	json_groups_init(
			&json->groups, api->store, json->selectors.count > 0 ? &json->selectors : NULL);
	json->groups.source.close = close_json;
	json->body = worked_body_create(api->executor, &json->groups.source);
	json->body->ready = on_first;
	json->body->ready_data = json;
	api_task_begin(&json->task, api, exchange);
	if (worked_body_begin(json->body)) {
		on_first(json);
	}
}
