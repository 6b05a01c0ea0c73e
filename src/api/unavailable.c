#include "api/unavailable.h"

#include "api/answer.h"
#include "api/json_answer.h"
#include "api/orwell_answer.h"

static enum stats_handler handler_of(enum endpoint endpoint, const struct exchange *exchange)
{
	switch (endpoint) {
	case ENDPOINT_PUSH:
		return exchange->request.method == METHOD_DELETE ? STATS_HANDLER_DELETE
														 : STATS_HANDLER_PUSH;
	case ENDPOINT_API_EXPORT:
		return STATS_HANDLER_API_EXPORT;
	case ENDPOINT_API_IMPORT:
		return STATS_HANDLER_API_IMPORT;
	case ENDPOINT_API_WIPE:
		return STATS_HANDLER_WIPE;
	case ENDPOINT_API_METRICS:
		return STATS_HANDLER_API_METRICS;
	case ENDPOINT_API_QUERY:
		return STATS_HANDLER_API_QUERY;
	case ENDPOINT_API_OPTIONS:
		return STATS_HANDLER_API_OPTIONS;
	case ENDPOINT_API_STATUS:
		return STATS_HANDLER_API_STATUS;
	case ENDPOINT_DISCOVERY:
	case ENDPOINT_DISCOVERY_COLLECTOR:
	case ENDPOINT_DISCOVERY_HOSTS:
	case ENDPOINT_RULES:
		return STATS_HANDLER_DISCOVERY;
	case ENDPOINT_API_TARGETS:
	case ENDPOINT_API_TARGET:
	case ENDPOINT_API_TARGET_ACTION:
	case ENDPOINT_API_SERVICES:
	case ENDPOINT_API_SERVICE:
	case ENDPOINT_API_TARGETS_EXPORT:
	case ENDPOINT_API_TARGETS_IMPORT:
	case ENDPOINT_HOSTS:
	case ENDPOINT_IMAGES:
	case ENDPOINT_COLLECTORS:
		return STATS_HANDLER_API_TARGETS;
	case ENDPOINT_HEALTHY:
		return STATS_HANDLER_HEALTHY;
	case ENDPOINT_READY:
		return STATS_HANDLER_READY;
	case ENDPOINT_OPENAPI:
	case ENDPOINT_STATIC:
		return STATS_HANDLER_STATIC;
	case ENDPOINT_PAGE:
		return STATS_HANDLER_STATUS;
	case ENDPOINT_METRICS:
	case ENDPOINT_TARGET_PAGE:
	case ENDPOINT_QUIT:
	case ENDPOINT_NONE:
		break;
	}
	return STATS_HANDLER_COUNT; /* not counted */
}

static bool is_of_orwell(enum endpoint endpoint)
{
	return endpoint == ENDPOINT_HOSTS || endpoint == ENDPOINT_IMAGES
			|| endpoint == ENDPOINT_COLLECTORS;
}

void unavailable_add_retry(struct exchange *exchange)
{
	exchange_add_field(exchange, SLICE("Retry-After"), SLICE("1"));
}

void unavailable_answer(
		struct api *api, struct exchange *exchange, enum endpoint endpoint, struct slice text)
{
	enum stats_handler handler = handler_of(endpoint, exchange);
	unavailable_add_retry(exchange);
	bool is_json = endpoint == ENDPOINT_API_METRICS || endpoint == ENDPOINT_API_QUERY
			|| handler == STATS_HANDLER_API_TARGETS;
	if (is_of_orwell(endpoint)) {
		answer_add_cors(exchange);
		orwell_set_error(exchange, 503, text);
	} else if (is_json) {
		answer_add_cors(exchange);
		json_answer_fault(exchange, 503, SLICE("unavailable"), text);
	} else {
		answer_error(exchange, 503, text);
	}
	if (handler != STATS_HANDLER_COUNT) {
		stats_count_request(api->stats, handler, answer_stats_method(exchange), 503);
	}
	api->stats->rejected[STATS_REJECTED_STATE] += handler == STATS_HANDLER_PUSH;
	exchange_answer(exchange);
}
