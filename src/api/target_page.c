#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/protobuf_page.h"
#include "api/task.h"
#include "api/unavailable.h"
#include "base/memory.h"
#include "http/coded_body.h"
#include "http/negotiate.h"
#include "store/page.h"
#include "targets/inventory.h"

/*
 * One target's part of the page. When it is silent or disabled the answer is 503, so that
 * whoever scrapes it finds it down. The text forms are a body here, protobuf's has its own.
 */
struct target_page {
	struct http_body body;
	struct page page;
	struct page_part part;
	struct arena arena; /* the part, and weir's own lines */
};

/* A request that may have to wait for a large push to be committed. */
struct target_look {
	struct api_task task;
	struct job job;
	struct api *api;
	struct exchange *exchange;
	const struct route *route;
	bool is_waiting;
};

static enum http_body_state next_piece(struct http_body *body, struct http_piece *ret_piece)
{
	struct target_page *page = LIST_ENTRY(body, struct target_page, body);
	return page_next(&page->page, &ret_piece->parts, &ret_piece->count) ? HTTP_BODY_PIECE
																		: HTTP_BODY_END;
}

static void free_page(struct target_page *page)
{
	arena_finish(&page->arena);
	free(page);
}

static void close_page(struct http_body *body)
{
	struct target_page *page = LIST_ENTRY(body, struct target_page, body);
	page_finish(&page->page);
	free_page(page);
}

static void on_protobuf_closed(void *data, const struct protobuf_page_result *result)
{
	free_page(data);
}

static struct http_body *open_protobuf(struct target_page *page, struct api *api,
		const struct exchange *exchange, const struct page_options *options)
{
	struct protobuf_page_options protobuf = {
		.page = *options,
		.only_sound = answer_is_to_prometheus(exchange),
		.closed = on_protobuf_closed,
		.data = page,
	};
	return protobuf_page_create(api->executor, api->store, &protobuf);
}

static struct http_body *open_page(struct api *api, const struct exchange *exchange,
		const struct target *target, const struct http_negotiated *negotiated)
{
	struct target_page *page = memory_zalloc(1, sizeof(*page));
	page->body = (struct http_body){ .next = next_piece, .close = close_page };
	arena_init(&page->arena);
	struct page_options options = {
		.format = http_negotiated_is_openmetrics(negotiated) ? PAGE_OPENMETRICS : PAGE_TEXT,
		.own_lines = api_target_lines(api, target, &page->arena),
		.part = &page->part,
	};
	escaping_find(negotiated->escaping, &options.escaping);
	page_part_init(&page->part, api->store, registry_group(api->targets, target), options.own_lines,
			&page->arena);
	if (negotiated->exposition == HTTP_EXPOSITION_PROTOBUF) {
		return open_protobuf(page, api, exchange, &options);
	}
	page_init(&page->page, api->store, &options);
	return &page->body;
}

/* ---- Finding the target ---- */

/* A host, or what is like one: its job is node. */
static struct target *find_named(const struct target_look *look)
{
	struct inventory_key key;
	inventory_host_key(&key, labels_escape(&look->exchange->arena, look->route->id));
	return registry_find(look->api->targets, &key.key);
}

static struct target *find_any(struct target_look *look)
{
	struct registry *registry = look->api->targets;
	struct target_id id;
	struct group_key key;
	if (look->route->id.len > 0) {
		struct target *target =
				target_id_parse(look->route->id, &id) ? registry_find_by_id(registry, &id) : NULL;
		return target != NULL ? target : find_named(look);
	}
	return answer_find_key(look->api, look->exchange, look->route, &key)
			? registry_find(registry, &key)
			: NULL;
}

static struct target *find_target(struct target_look *look)
{
	struct target *target = find_any(look);
	return target != NULL && target_is_watched(target) ? target : NULL;
}

/* Why there is no page; ptr NULL: there is one. */
static struct slice why_unavailable(const struct api *api, const struct target *target)
{
	switch (registry_state(api->targets, target)) {
	case TARGET_ACTIVE:
		return slice_make(NULL, 0);
	case TARGET_SILENT:
		return SLICE("the target is silent");
	case TARGET_EXPIRED:
		return SLICE("the target's group is gone");
	case TARGET_DISABLED:
	case TARGET_STATE_COUNT:
		break;
	}
	return SLICE("the target is disabled");
}

/* ---- Answering ---- */

static void answer(struct target_look *look)
{
	if (look->is_waiting) {
		api_task_end(&look->task);
	} else {
		exchange_answer(look->exchange);
	}
}

static void set_page(struct target_look *look, const struct target *target)
{
	struct exchange *exchange = look->exchange;
	struct slice accepted = http_list_header(exchange, SLICE("Accept"));
	struct http_offer offer = { .openmetrics = look->api->options.openmetrics, .protobuf = true };
	struct http_negotiated negotiated = http_negotiate_exposition(accepted, offer);
	exchange->response.status = 200;
	exchange->response.content_type = http_negotiated_type(&negotiated, exchange);
	coded_body_answer(
			&look->api->coded_pool, exchange, open_page(look->api, exchange, target, &negotiated));
}

static void on_turn(struct job *job);

static void run(struct target_look *look)
{
	struct api *api = look->api;
	struct target *target = find_target(look);
	struct slice why = target == NULL ? slice_make(NULL, 0) : why_unavailable(api, target);
	if (target == NULL && api->targets->is_loading) {
		answer_error(look->exchange, 503, SLICE("the targets are being loaded"));
	} else if (target == NULL) {
		answer_error(look->exchange, 404, SLICE("there is no such target"));
	} else if (why.ptr != NULL) {
		answer_error(look->exchange, 503, why);
	} else if (snapshot_is_possible(api->store)) {
		set_page(look, target);
	} else {
		if (!look->is_waiting) {
			look->is_waiting = true;
			api_task_begin(&look->task, api, look->exchange);
		}
		look->job = (struct job){ .done = on_turn };
		executor_defer(api->executor, &look->job);
		return;
	}
	answer(look);
}

static void on_turn(struct job *job)
{
	run(LIST_ENTRY(job, struct target_look, job));
}

void target_page_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	struct target_look *look = arena_zalloc(&exchange->arena, 1, sizeof(*look));
	struct route *copy = arena_alloc(&exchange->arena, sizeof(*copy));
	*copy = *route;
	look->api = api;
	look->exchange = exchange;
	look->route = copy;
	run(look);
}
