#include "api/endpoints.h"

/*
 * Whether weir lives: OK, as a Pushgateway says it. A scraper, which cannot read that, asks with
 * ?format=metrics: while what is stored is being loaded this is the only page that it gets, and so
 * the only way to tell a weir that is not ready from one that is not there.
 */

#define READY_HEAD                                                                                 \
	"# HELP weir_ready Whether all that is stored is loaded, and served.\n"                        \
	"# TYPE weir_ready gauge\n"

static bool wants_metrics(const struct exchange *exchange)
{
	return slice_equal(exchange_query_parameter(exchange, SLICE("format")), SLICE("metrics"));
}

static void set_metrics(const struct api *api, struct http_response *response)
{
	bool is_ready = api->loading.phase == LOADING_OVER;
	response->content_type = SLICE("text/plain; version=0.0.4; charset=utf-8");
	response->body =
			is_ready ? SLICE(READY_HEAD "weir_ready 1\n") : SLICE(READY_HEAD "weir_ready 0\n");
}

void health_handle(struct api *api, struct exchange *exchange, enum stats_handler handler)
{
	struct http_response *response = &exchange->response;
	response->status = 200;
	if (wants_metrics(exchange)) {
		set_metrics(api, response);
	} else {
		response->content_type = SLICE("text/plain; charset=utf-8");
		response->body = SLICE("OK");
	}
	stats_count_request(api->stats, handler, STATS_METHOD_GET, 200);
	exchange_answer(exchange);
}
