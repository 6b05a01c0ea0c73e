#include <stdlib.h>

#include "api/answer.h"
#include "api/components.h"
#include "api/endpoints.h"
#include "api/status_page.h"
#include "api/task.h"
#include "base/clock.h"
#include "base/memory.h"

enum {
	LISTED_MAX = 8 * 1000 * 1000, /* groups, by all pages that are being made: 24 bytes each */
	PAGE_DIGITS = 9,
};

/* The page as a response body, with what was asked for. */
struct status {
	struct status_page page;
	struct api_task task; /* what comes behind on the same connection waits */
	struct api *api;
	struct arena arena;
	struct http_body *body;
	bool is_made; /* it counts no more */
};

/* ?page=N; 1 for what is none. */
static uint64_t read_page(const struct exchange *exchange, struct arena *arena)
{
	struct slice text = exchange_query_parameter(exchange, SLICE("page"));
	uint64_t page = 0;
	if (!answer_decode_query(text, arena, &text)) {
		return 1;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || i == PAGE_DIGITS) {
			return 1;
		}
		page = page * 10 + (uint64_t)(text.ptr[i] - '0');
	}
	return page == 0 ? 1 : page;
}

/* ?job=NAME; empty for any. */
static struct slice read_job(const struct exchange *exchange, struct arena *arena)
{
	struct slice raw = exchange_query_parameter(exchange, SLICE("job"));
	struct slice text;
	if (raw.len == 0 || !answer_decode_query(raw, arena, &text)) {
		return slice_make("", 0);
	}
	return arena_copy(arena, text);
}

/* ---- Answers ---- */

static void end_making(struct status *status)
{
	if (!status->is_made) {
		status->is_made = true;
		status->api->pages_being_made--;
	}
}

static void close_status(struct worked_source *source)
{
	struct status_page *page = LIST_ENTRY(source, struct status_page, source);
	struct status *status = LIST_ENTRY(page, struct status, page);
	end_making(status);
	status_page_finish(page);
	api_task_end(&status->task);
	arena_finish(&status->arena);
	free(status);
}

static void add_fields(struct exchange *exchange)
{
	exchange_add_field(
			exchange, SLICE("Cache-Control"), SLICE("no-cache, no-store, must-revalidate"));
	exchange_add_missing_field(exchange, SLICE("Content-Security-Policy"),
			SLICE("default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'"));
	exchange_add_missing_field(exchange, SLICE("X-Content-Type-Options"), SLICE("nosniff"));
}

/* It is written. */
static void on_first(void *data)
{
	struct status *status = data;
	struct exchange *exchange = status->task.exchange;
	status->task.exchange = NULL;
	end_making(status);
	add_fields(exchange);
	exchange->response.status = 200;
	exchange->response.content_type = SLICE("text/html; charset=utf-8");
	exchange->response.stream = status->body;
	stats_count_request(status->api->stats, STATS_HANDLER_STATUS, STATS_METHOD_GET, 200);
	exchange_answer(exchange);
}

/* Each page lists all groups; one can always be made. */
static bool is_too_much(const struct api *api)
{
	uint64_t pages = api->pages_being_made;
	return pages > 0 && (pages + 1) * api->store->contents->group_count > LISTED_MAX;
}

static void refuse(struct api *api, struct exchange *exchange)
{
	exchange_add_field(exchange, SLICE("Retry-After"), SLICE("1"));
	exchange_set_error(exchange, 503, SLICE("too many pages are being made, try again\n"));
	stats_count_request(api->stats, STATS_HANDLER_STATUS, STATS_METHOD_GET, 503);
	exchange_answer(exchange);
}

static struct status *create(struct api *api, const struct exchange *exchange)
{
	struct status *status = memory_zalloc(1, sizeof(*status));
	struct slice prefix = api->options.link_prefix;
	status->api = api;
	/* The page is written on a thread, while a reload may replace the settings. */
	arena_init(&status->arena);
	status_page_init(&status->page, api->store);
	status->page.source.close = close_status;
	stats_collect(api->stats);
	status->page.view = (struct status_view){
		.away = components_away(api->stats, &status->arena),
		.components =
				components_table(api->stats, api->options.config, clock_wall_ns(), &status->arena),
		.flags = status_view_flags(api->options.config, &status->arena),
		.link_prefix = prefix.len == 0 ? SLICE(".") : arena_copy(&status->arena, prefix),
		.scrape_path = arena_copy(&status->arena, api->options.routes.scrape_path),
		.started_ns = api->started_ns,
		.now_ns = clock_wall_ns(),
		.job_text = read_job(exchange, &status->arena),
		.page = read_page(exchange, &status->arena),
	};
	status->page.view.job = labels_escape(&status->arena, status->page.view.job_text);
	return status;
}

void status_handle(struct api *api, struct exchange *exchange)
{
	if (is_too_much(api)) {
		refuse(api, exchange);
		return;
	}
	struct status *status = create(api, exchange);
	api->pages_being_made++;
	status->body = worked_body_create(api->executor, &status->page.source);
	status->body->ready = on_first;
	status->body->ready_data = status;
	api_task_begin(&status->task, api, exchange);
	if (worked_body_begin(status->body)) {
		on_first(status);
	}
}
