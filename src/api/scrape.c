#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/protobuf_page.h"
#include "api/task.h"
#include "base/clock.h"
#include "base/memory.h"
#include "http/coded_body.h"
#include "http/negotiate.h"
#include "store/page.h"

/*
 * A page in one of its forms. The text forms are a body here; protobuf's has
 * its own, and says when it is over.
 */
struct scrape {
	struct http_body body;
	struct api *api;
	struct http_negotiated negotiated;
	struct http_body *protobuf; /* NULL: one of the text forms */
	bool is_prometheus;         /* who asks */
	struct page page;
	struct arena arena; /* weir's own lines */
	uint64_t began_ns;
};

/* A scrape that waits for a large push to be committed. */
struct scrape_wait {
	struct api_task task;
	struct job job;
	struct scrape *scrape;
};

static enum http_body_state next_piece(struct http_body *body, struct http_piece *ret_piece)
{
	struct scrape *scrape = (struct scrape *)body;
	return page_next(&scrape->page, &ret_piece->parts, &ret_piece->count) ? HTTP_BODY_PIECE
																		  : HTTP_BODY_END;
}

static void free_scrape(struct scrape *scrape, uint64_t bytes, uint64_t collisions)
{
	uint64_t now_ns = clock_monotonic_ns();
	struct stats *stats = scrape->api->stats;
	quantiles_observe(&stats->scrape_seconds, (double)(now_ns - scrape->began_ns) / 1e9, now_ns);
	stats->scrape_bytes += bytes;
	stats->escape_collisions += collisions;
	arena_finish(&scrape->arena);
	free(scrape);
}

static void close_scrape(struct http_body *body)
{
	struct scrape *scrape = (struct scrape *)body;
	uint64_t bytes = scrape->page.bytes;
	uint64_t collisions = scrape->page.names.collisions;
	page_finish(&scrape->page);
	free_scrape(scrape, bytes, collisions);
}

static void on_protobuf_closed(void *data, const struct protobuf_page_result *result)
{
	free_scrape(data, result->bytes, result->collisions);
}

static struct scrape *create(struct api *api, struct exchange *exchange)
{
	struct slice accepted = http_list_header(exchange, SLICE("Accept"));
	struct http_offer offer = { .openmetrics = api->options.openmetrics, .protobuf = true };
	struct scrape *scrape = memory_zalloc(1, sizeof(*scrape));
	scrape->negotiated = http_negotiate_exposition(accepted, offer);
	scrape->is_prometheus = answer_is_to_prometheus(exchange);
	scrape->api = api;
	scrape->began_ns = exchange->request.began_ns;
	scrape->body.next = next_piece;
	scrape->body.close = close_scrape;
	arena_init(&scrape->arena);
	return scrape;
}

static bool open_page(struct scrape *scrape)
{
	struct api *api = scrape->api;
	if (!snapshot_is_possible(api->store)) {
		return false;
	}
	struct page_options options = {
		.format =
				http_negotiated_is_openmetrics(&scrape->negotiated) ? PAGE_OPENMETRICS : PAGE_TEXT,
		.own_lines = api_own_lines(api, &scrape->arena),
	};
	escaping_find(scrape->negotiated.escaping, &options.escaping);
	if (scrape->negotiated.exposition != HTTP_EXPOSITION_PROTOBUF) {
		return page_init(&scrape->page, api->store, &options);
	}
	struct protobuf_page_options protobuf = {
		.page = options,
		.only_sound = scrape->is_prometheus,
		.closed = on_protobuf_closed,
		.data = scrape,
	};
	scrape->protobuf = protobuf_page_create(api->executor, api->store, &protobuf);
	return scrape->protobuf != NULL;
}

static void set_response(struct scrape *scrape, struct exchange *exchange)
{
	struct http_body *body = scrape->protobuf != NULL ? scrape->protobuf : &scrape->body;
	exchange->response.status = 200;
	exchange->response.content_type = http_negotiated_type(&scrape->negotiated, exchange);
	coded_body_answer(&scrape->api->coded_pool, exchange, body);
}

static void on_turn(struct job *job)
{
	struct scrape_wait *wait =
			(struct scrape_wait *)(void *)((char *)job - offsetof(struct scrape_wait, job));
	if (!open_page(wait->scrape)) {
		executor_defer(wait->scrape->api->executor, &wait->job);
		return;
	}
	set_response(wait->scrape, wait->task.exchange);
	api_task_end(&wait->task);
}

void scrape_handle(struct api *api, struct exchange *exchange)
{
	struct scrape *scrape = create(api, exchange);
	if (open_page(scrape)) {
		set_response(scrape, exchange);
		exchange_answer(exchange);
		return;
	}
	struct scrape_wait *wait = arena_zalloc(&exchange->arena, 1, sizeof(*wait));
	wait->scrape = scrape;
	wait->job.done = on_turn;
	api_task_begin(&wait->task, api, exchange);
	executor_defer(api->executor, &wait->job);
}
