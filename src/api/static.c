#include "api/answer.h"
#include "api/endpoints.h"
#include "ui/assets.h"

static void set_asset(struct exchange *exchange, const struct asset *asset)
{
	if (answer_is_known(exchange, asset->etag)) {
		return;
	}
	exchange_add_missing_field(exchange, SLICE("X-Content-Type-Options"), SLICE("nosniff"));
	exchange->response.status = 200;
	exchange->response.content_type = asset->content_type;
	exchange->response.body = asset->content;
}

void static_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	const struct asset *asset = assets_find(route->file);
	if (asset == NULL) {
		exchange_set_error(exchange, 404, SLICE("404 page not found\n"));
	} else {
		set_asset(exchange, asset);
	}
	stats_count_request(api->stats, STATS_HANDLER_STATIC, STATS_METHOD_GET,
			(unsigned)exchange->response.status);
	exchange_answer(exchange);
}
