#include "api/answer.h"
#include "api/endpoints.h"
#include "ui/assets.h"

/* If-None-Match: "etag", W/"another" or *. The quotes tell where an etag begins and ends. */
static bool has_it(const struct exchange *exchange, const struct asset *asset)
{
	struct slice known = exchange_header(exchange, SLICE("If-None-Match"));
	return slice_equal(known, SLICE("*"))
			|| (known.len > 0
					&& memmem(known.ptr, known.len, asset->etag.ptr, asset->etag.len) != NULL);
}

static void set_asset(struct exchange *exchange, const struct asset *asset)
{
	exchange_add_field(exchange, SLICE("Cache-Control"), SLICE("public, max-age=3600"));
	exchange_add_field(exchange, SLICE("ETag"), asset->etag);
	if (has_it(exchange, asset)) {
		answer_empty(exchange, 304);
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
