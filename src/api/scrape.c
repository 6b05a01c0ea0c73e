#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/task.h"
#include "base/clock.h"
#include "base/memory.h"
#include "http/coded_body.h"
#include "store/page.h"

/* The page as a response body. */
struct scrape {
	struct http_body body;
	struct api *api;
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

static void close_scrape(struct http_body *body)
{
	struct scrape *scrape = (struct scrape *)body;
	uint64_t now_ns = clock_monotonic_ns();
	struct stats *stats = scrape->api->stats;
	quantiles_observe(&stats->scrape_seconds, (double)(now_ns - scrape->began_ns) / 1e9, now_ns);
	stats->scrape_bytes += scrape->page.bytes;
	page_finish(&scrape->page);
	arena_finish(&scrape->arena);
	free(scrape);
}

static struct scrape *create(struct api *api, const struct exchange *exchange)
{
	struct scrape *scrape = memory_zalloc(1, sizeof(*scrape));
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
	struct page_options options = { .own_lines = api_own_lines(api, &scrape->arena) };
	return page_init(&scrape->page, api->store, &options);
}

static void set_response(struct scrape *scrape, struct exchange *exchange)
{
	exchange->response.status = 200;
	exchange->response.content_type =
			SLICE("text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
	coded_body_answer(&scrape->api->coded_pool, exchange, &scrape->body);
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
