#include "api/openapi.h"

#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "base/hash.h"
#include "base/memory.h"
#include "format/json.h"
#include "http/coded_body.h"

/*
 * The description of weir's HTTP interface. All but where it is served is known when weir is
 * built.
 */
struct description {
	struct http_body body;
	struct buf text;
	struct slice part;
	bool is_shown;
};

void openapi_write(struct buf *out, struct slice prefix)
{
	buf_append(out, SLICE("{\"servers\":[{\"url\":"));
	json_append_string(out, prefix.len == 0 ? SLICE("/") : prefix);
	buf_append(out, SLICE("}],"));
	buf_append_string(out, api_openapi + 1); /* behind its bracket */
}

static enum http_body_state next_piece(struct http_body *body, struct http_piece *ret_piece)
{
	struct description *description = LIST_ENTRY(body, struct description, body);
	if (description->is_shown) {
		return HTTP_BODY_END;
	}
	description->is_shown = true;
	description->part = buf_slice(&description->text);
	*ret_piece = (struct http_piece){ .parts = &description->part, .count = 1 };
	return HTTP_BODY_PIECE;
}

static void close_description(struct http_body *body)
{
	struct description *description = LIST_ENTRY(body, struct description, body);
	buf_finish(&description->text);
	free(description);
}

static struct description *create(struct slice prefix)
{
	struct description *description = memory_zalloc(1, sizeof(*description));
	description->body = (struct http_body){ .next = next_piece, .close = close_description };
	buf_init(&description->text, 0);
	openapi_write(&description->text, prefix);
	return description;
}

/* A weak one, since the text goes out under several codings. */
static struct slice etag_of(struct slice text, struct arena *arena)
{
	struct hash128 sum = checksum128(text);
	return arena_printf(arena, "W/\"%016llx%016llx\"", (unsigned long long)sum.high,
			(unsigned long long)sum.low);
}

void openapi_handle(struct api *api, struct exchange *exchange)
{
	struct description *description = create(api->options.routes.prefix);
	struct slice etag = etag_of(buf_slice(&description->text), &exchange->arena);
	exchange_add_field(exchange, SLICE("Vary"), SLICE("Accept-Encoding"));
	if (answer_is_known(exchange, etag)) {
		close_description(&description->body);
	} else {
		exchange->response.status = 200;
		exchange->response.content_type = SLICE("application/json");
		coded_body_answer(&api->coded_pool, exchange, &description->body);
	}
	stats_count_request(api->stats, STATS_HANDLER_STATIC, STATS_METHOD_GET,
			(unsigned)exchange->response.status);
	exchange_answer(exchange);
}
