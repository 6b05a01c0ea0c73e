#include "http/server.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "http/exchange.h"

enum {
	SPARES_MAX = 256,
	DEFAULT_WINDOW = 32,
	KEPT_HEAD_BYTES = 4 * 1024,
	KEPT_BODY_BYTES = 16 * 1024,
	KEPT_FIELDS_BYTES = 1024,
};

void http_server_init(struct http_server *server, const struct http_limits *limits)
{
	*server = (struct http_server){ .limits = *limits };
	if (server->limits.window == 0) {
		server->limits.window = DEFAULT_WINDOW;
	}
	http_inputs_init(&server->inputs);
	list_init(&server->spares);
}

static void destroy_exchange(struct exchange *exchange)
{
	arena_finish(&exchange->arena);
	buf_finish(&exchange->response.fields);
	buf_finish(&exchange->wire.head);
	buf_finish(&exchange->wire.body);
	free(exchange);
}

void http_server_finish(struct http_server *server)
{
	assert(server->exchange_count == 0);
	LIST_EACH (link, &server->spares) {
		destroy_exchange(LIST_ENTRY(link, struct exchange, link));
	}
	http_inputs_finish(&server->inputs);
}

struct exchange *http_server_take(struct http_server *server)
{
	server->exchange_count++;
	struct list *link = list_first(&server->spares);
	if (link != NULL) {
		list_remove(link);
		server->spare_count--;
		return LIST_ENTRY(link, struct exchange, link);
	}
	struct exchange *exchange = memory_zalloc(1, sizeof(*exchange));
	list_init(&exchange->link);
	arena_init(&exchange->arena);
	buf_init(&exchange->response.fields, 0);
	buf_init(&exchange->wire.head, 0);
	buf_init(&exchange->wire.body, 0);
	exchange->wire.server = server;
	return exchange;
}

static void empty(struct exchange *exchange)
{
	struct buf fields = exchange->response.fields;
	buf_reset(&fields, KEPT_FIELDS_BYTES);
	buf_reset(&exchange->wire.head, KEPT_HEAD_BYTES);
	buf_reset(&exchange->wire.body, KEPT_BODY_BYTES);
	arena_reset(&exchange->arena);

	exchange->session = NULL;
	exchange->request = (struct http_request){ 0 };
	exchange->response = (struct http_response){ .fields = fields };
	exchange->handler_data = NULL;
	exchange->denied = 0;
	exchange->answered = false;
	exchange->wire.is_handed = false;
	exchange->wire.keep_alive = false;
	exchange->wire.wants_continue = false;
	exchange->wire.awaits_admission = false;
}

void http_server_give_back(struct http_server *server, struct exchange *exchange)
{
	server->exchange_count--;
	list_remove(&exchange->link);
	struct http_body *stream = exchange->response.stream;
	if (stream != NULL) {
		stream->close(stream);
	}
	if (exchange->wire.input != NULL) {
		http_input_unref(exchange->wire.input);
		exchange->wire.input = NULL;
	}
	if (server->spare_count == SPARES_MAX) {
		destroy_exchange(exchange);
		return;
	}
	empty(exchange);
	/* The one used last comes first: its memory is in the cache. */
	list_append(server->spares.next, &exchange->link);
	server->spare_count++;
}
