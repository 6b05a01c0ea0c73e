#include "api/api.h"

#include <assert.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/rights.h"
#include "api/task.h"
#include "api/unavailable.h"
#include "base/clock.h"
#include "config/jobs.h"
#include "http/content.h"
#include "store/page.h"
#include "ui/html.h"

void api_init(struct api *api, const struct api_options *options, struct store *store,
		struct registry *targets, struct stats *stats, struct executor *executor)
{
	*api = (struct api){
		.options = *options,
		.job_rules = job_rules_create(),
		.store = store,
		.targets = targets,
		.stats = stats,
		.executor = executor,
		.started_ns = clock_wall_ns(),
	};
	acks_init(&api->acks, api);
	loading_init(&api->loading, api);
	list_init(&api->ongoing);
	list_init(&api->large_waiting);
	list_init(&api->imports_waiting);
	list_init(&api->targets_waiting);
	list_init(&api->targets_turns);
	coded_pool_init(&api->coded_pool, executor);
}

void api_set_options(
		struct api *api, const struct api_options *options, struct job_rules *job_rules)
{
	job_rules_ref(job_rules);
	job_rules_unref(api->job_rules);
	api->options = *options;
	api->job_rules = job_rules;
}

void api_finish(struct api *api)
{
	assert(list_is_empty(&api->ongoing));
	assert(api->loading.count == 0);
	acks_finish(&api->acks);
	coded_pool_finish(&api->coded_pool);
	job_rules_unref(api->job_rules);
	page_release_spare();
}

static void handle_found(struct api *api, struct exchange *exchange, const struct route *route)
{
	switch (route->endpoint) {
	case ENDPOINT_METRICS:
		scrape_handle(api, exchange);
		return;
	case ENDPOINT_PUSH:
		if (exchange->request.method == METHOD_DELETE) {
			delete_handle(api, exchange, route);
		} else {
			push_handle(api, exchange, route);
		}
		return;
	case ENDPOINT_HEALTHY:
		health_handle(api, exchange, STATS_HANDLER_HEALTHY);
		return;
	case ENDPOINT_READY:
		health_handle(api, exchange, STATS_HANDLER_READY);
		return;
	case ENDPOINT_QUIT:
		quit_handle(api, exchange);
		return;
	case ENDPOINT_PAGE:
		status_handle(api, exchange);
		return;
	case ENDPOINT_STATIC:
		static_handle(api, exchange, route);
		return;
	case ENDPOINT_OPENAPI:
		openapi_handle(api, exchange);
		return;
	case ENDPOINT_API_EXPORT:
		answer_add_cors(exchange);
		export_handle(api, exchange);
		return;
	case ENDPOINT_API_IMPORT:
		import_handle(api, exchange);
		return;
	case ENDPOINT_API_METRICS:
		answer_add_cors(exchange);
		metrics_json_handle(api, exchange);
		return;
	case ENDPOINT_API_QUERY:
		answer_add_cors(exchange);
		query_handle(api, exchange);
		return;
	case ENDPOINT_API_STATUS:
		answer_add_cors(exchange);
		status_json_handle(api, exchange);
		return;
	case ENDPOINT_API_TARGETS:
		targets_handle(api, exchange);
		return;
	case ENDPOINT_API_TARGET:
		target_handle(api, exchange, route);
		return;
	case ENDPOINT_API_TARGET_ACTION:
		target_action_handle(api, exchange, route);
		return;
	case ENDPOINT_API_SERVICES:
		services_handle(api, exchange);
		return;
	case ENDPOINT_API_SERVICE:
		service_handle(api, exchange, route);
		return;
	case ENDPOINT_API_TARGETS_EXPORT:
		targets_export_handle(api, exchange);
		return;
	case ENDPOINT_API_TARGETS_IMPORT:
		targets_import_handle(api, exchange);
		return;
	case ENDPOINT_DISCOVERY:
		discovery_handle(api, exchange);
		return;
	case ENDPOINT_DISCOVERY_COLLECTOR:
		discovery_collector_handle(api, exchange);
		return;
	case ENDPOINT_DISCOVERY_HOSTS:
		discovery_hosts_handle(api, exchange);
		return;
	case ENDPOINT_RULES:
		rules_handle(api, exchange);
		return;
	case ENDPOINT_TARGET_PAGE:
		target_page_handle(api, exchange, route);
		return;
	case ENDPOINT_API_WIPE:
		wipe_handle(api, exchange);
		return;
	case ENDPOINT_HOSTS:
		orwell_hosts_handle(api, exchange, route);
		return;
	case ENDPOINT_IMAGES:
		orwell_images_handle(api, exchange, route);
		return;
	case ENDPOINT_COLLECTORS:
		orwell_collectors_handle(api, exchange, route);
		return;
	case ENDPOINT_API_OPTIONS:
		if (route->allowed.len > 0) {
			answer_add_cors_of(exchange, route->allowed);
		} else {
			answer_add_cors(exchange);
		}
		answer_empty(exchange, 200);
		stats_count_request(api->stats, STATS_HANDLER_API_OPTIONS, STATS_METHOD_OPTIONS, 200);
		exchange_answer(exchange);
		return;
	case ENDPOINT_NONE:
		break;
	}
	assert(!"a route without an endpoint");
}

/* Go says where to in a line of HTML, to a GET only. */
static void set_moved(struct exchange *exchange, const struct route *route)
{
	answer_empty(exchange, route->status);
	exchange_add_field(exchange, SLICE("Location"), route->location);
	if (exchange->request.method == METHOD_GET) {
		const char *phrase = route->status == 301 ? "Moved Permanently" : "Temporary Redirect";
		struct buf html;
		buf_init(&html, 0);
		buf_append(&html, SLICE("<a href=\""));
		html_append(&html, route->location);
		buf_printf(&html, "\">%s</a>.\n\n", phrase);
		exchange->response.content_type = SLICE("text/html; charset=utf-8");
		exchange->response.body = arena_copy(&exchange->arena, buf_slice(&html));
		buf_finish(&html);
	}
}

/* ORWELL's middleware lets pages of other origins change what it has. */
static void set_options(struct exchange *exchange, const struct route *route)
{
	bool is_orwell = route->endpoint == ENDPOINT_HOSTS || route->endpoint == ENDPOINT_IMAGES
			|| route->endpoint == ENDPOINT_COLLECTORS;
	answer_empty(exchange, 200);
	if (route->allowed.len > 0) {
		exchange_add_field(exchange, SLICE("Allow"), route->allowed);
	}
	if (is_orwell) {
		answer_add_cors_of(exchange, route->allowed);
	}
}

/* True when the request leads to no endpoint and has its answer. */
static bool set_unrouted(
		struct exchange *exchange, enum route_result result, const struct route *route)
{
	switch (result) {
	case ROUTE_FOUND:
		return false;
	case ROUTE_MOVED:
		set_moved(exchange, route);
		return true;
	case ROUTE_OPTIONS:
		set_options(exchange, route);
		return true;
	case ROUTE_NOT_ALLOWED:
		exchange_add_field(exchange, SLICE("Allow"), route->allowed);
		exchange_set_error(exchange, 405, SLICE("Method Not Allowed\n"));
		return true;
	case ROUTE_NOT_FOUND:
		break;
	}
	exchange_set_error(exchange, 404, SLICE("404 page not found\n"));
	return true;
}

static void refuse_if_away(struct api *api, struct exchange *exchange, const struct route *route)
{
	struct slice text = away_text_of_request(api, exchange, route);
	if (text.ptr != NULL) {
		unavailable_answer(api, exchange, route->endpoint, text);
	}
}

void api_on_head(void *data, struct exchange *exchange)
{
	struct api *api = data;
	struct route route;
	enum route_result result =
			route_find(&api->options.routes, &exchange->request, &exchange->arena, &route);
	/* What comes of a coding is known when the body is here, and goes first. */
	bool is_coded = exchange_header(exchange, SLICE("Content-Encoding")).len > 0;
	if ((route.is_outer || !is_coded) && set_unrouted(exchange, result, &route)) {
		exchange_answer(exchange);
	} else if (result == ROUTE_FOUND && rights_deny(exchange, &route)) {
		exchange_answer(exchange);
	} else if (result == ROUTE_FOUND && !loading_is_on(&api->loading)) {
		refuse_if_away(api, exchange, &route);
	}
}

/*
 * A body that is said to be coded must at least begin so, whatever the path
 * and method, but for the API's. True when it does not and has its answer.
 */
static bool set_miscoded(struct exchange *exchange)
{
	struct slice coding = exchange_header(exchange, SLICE("Content-Encoding"));
	struct slice text;
	if (coding.len == 0
			|| http_content_begins(http_coding_by_name(coding), exchange->request.body, &text)) {
		return false;
	}
	exchange_set_error(exchange, 400, text);
	return true;
}

/*
 * Requests without a body come here at once, and nobody has looked at their rights yet. True when
 * it is denied and has its answer.
 */
static bool set_denied(struct api *api, struct exchange *exchange)
{
	struct route route;
	return exchange->denied != 0
			&& route_find(&api->options.routes, &exchange->request, &exchange->arena, &route)
			== ROUTE_FOUND
			&& rights_deny(exchange, &route);
}

void api_on_request(void *data, struct exchange *exchange)
{
	struct api *api = data;
	if (set_denied(api, exchange)) {
		exchange_answer(exchange);
	} else if (!loading_is_on(&api->loading) || !loading_takes(&api->loading, exchange)) {
		api_carry_out(api, exchange);
	}
}

void api_carry_out(struct api *api, struct exchange *exchange)
{
	struct route route;
	if (!list_is_empty(&api->ongoing) && api_task_waits(api, exchange)) {
		return;
	}
	enum route_result result =
			route_find(&api->options.routes, &exchange->request, &exchange->arena, &route);
	if ((!route.is_outer && set_miscoded(exchange)) || set_unrouted(exchange, result, &route)) {
		exchange_answer(exchange);
	} else {
		handle_found(api, exchange, &route);
	}
}
