#include "api/targets_list.h"

#include <stdlib.h>

#include "api/json_answer.h"
#include "api/own_address.h"
#include "base/memory.h"
#include "http/coded_body.h"

enum {
	LOOKED_AT_MAX = 1000, /* targets, on one turn of the loop */
	PIECE_BYTES = 64 * 1024,
	COSTLY_PIECE_BYTES = 4 * 1024, /* of some targets, for each of which much is read */
};

static bool is_costly(const struct targets_list *list)
{
	return list->query.with_resources || list->writer->is_costly;
}

/* So much is written on one turn of the loop, and a target more. */
static bool has_room(const struct targets_list *list)
{
	return list->out.len < (is_costly(list) ? COSTLY_PIECE_BYTES : PIECE_BYTES);
}

static void write_one(struct targets_list *list, const struct target *target)
{
	size_t len = list->out.len;
	if (list->shown > 0) {
		buf_append(&list->out, list->writer->between);
	}
	if (list->writer->append(list, &list->out, target)) {
		list->shown++;
	} else {
		list->out.len = len;
	}
}

static bool is_on_page(const struct targets_list *list)
{
	return list->found > list->query.offset && list->shown < list->query.limit;
}

void targets_list_end_page(struct targets_list *list, struct buf *out)
{
	buf_printf(out, "],\"total\":%zu,\"offset\":%zu,\"limit\":%zu}}\n", list->found,
			list->query.offset, list->query.limit);
}

static void end(struct targets_list *list)
{
	list->is_over = true;
	if (list->writer->end != NULL) {
		list->writer->end(list, &list->out);
	}
}

/* ---- One after the other ---- */

static bool takes(const struct targets_list *list, const struct target *target,
		struct pattern_scratch *scratch)
{
	return (list->writer->takes == NULL || list->writer->takes(target))
			&& target_filter_takes(&list->query.filter, list->api->targets, target, scratch);
}

static void take(struct targets_list *list, const struct target *target)
{
	list->found++;
	if (!list->is_in_order) {
		targets_sort_add(&list->sort, target);
	} else if (is_on_page(list)) {
		write_one(list, target);
	}
}

/*
 * Some targets more; true in *ret_is_end when there are none. False when a regular expression takes
 * too long for one.
 */
static bool look_at_some(struct targets_list *list, bool *ret_is_end)
{
	struct arena arena;
	struct pattern_scratch scratch;
	arena_init(&arena);
	pattern_scratch_init(&scratch, &arena);
	*ret_is_end = false;
	for (size_t i = 0; i < LOOKED_AT_MAX && has_room(list) && !*ret_is_end; i++) {
		struct target *target = registry_walk_next(&list->walk);
		if (target == NULL) {
			*ret_is_end = true;
		} else if (takes(list, target, &scratch)) {
			take(list, target);
		}
	}
	bool has_failed = scratch.failed != NULL;
	arena_finish(&arena);
	return !has_failed;
}

/* ---- In order ---- */

/* Some of those on the page; they may be gone by now. True when there are no more. */
static bool write_some(struct targets_list *list)
{
	while (list->written < list->sort.count && has_room(list)) {
		const struct target_id *id = targets_sort_id(&list->sort, list->written++);
		const struct target *target = registry_find_by_id(list->api->targets, id);
		if (target != NULL) {
			write_one(list, target);
		}
	}
	return list->written == list->sort.count;
}

static void sort(struct job *job)
{
	struct targets_list *list = LIST_ENTRY(job, struct targets_list, turn);
	targets_sort_run(&list->sort, list->query.offset, list->query.limit);
}

/* ---- As a body ---- */

static void free_list(struct targets_list *list)
{
	map_finish(&list->seen);
	targets_sort_finish(&list->sort);
	arena_finish(&list->arena);
	buf_finish(&list->out);
	free(list);
}

static void on_turn(struct job *job)
{
	struct targets_list *list = LIST_ENTRY(job, struct targets_list, turn);
	list->is_waiting = false;
	if (list->is_closed) {
		free_list(list);
		return;
	}
	list->body.ready(list->body.ready_data);
}

static enum http_body_state wait_for_turn(struct targets_list *list)
{
	list->is_waiting = true;
	list->turn = (struct job){ .done = on_turn };
	executor_defer(list->api->executor, &list->turn);
	return HTTP_BODY_LATER;
}

/* Nothing is written before all are known. */
static enum http_body_state gather_some(struct targets_list *list)
{
	bool is_end;
	if (!look_at_some(list, &is_end)) {
		return HTTP_BODY_FAILED;
	}
	if (!is_end) {
		return wait_for_turn(list);
	}
	list->is_waiting = true;
	list->is_in_order = true;
	list->turn = (struct job){ .work = sort, .done = on_turn };
	executor_submit(list->api->executor, &list->turn);
	return HTTP_BODY_LATER;
}

/* False as look_at_some(). */
static bool go_on(struct targets_list *list)
{
	bool is_end = false;
	if (list->query.order.name.ptr != NULL) {
		is_end = write_some(list);
	} else if (!look_at_some(list, &is_end)) {
		return false;
	}
	if (is_end) {
		end(list);
	}
	return true;
}

/* Who sends the body may want several pieces on one turn. Of those that cost much each has its own.
 */
static bool has_to_rest(struct targets_list *list)
{
	list->is_rested = !list->is_rested && is_costly(list);
	return list->is_rested;
}

static enum http_body_state next_piece(struct http_body *body, struct http_piece *ret_piece)
{
	struct targets_list *list = LIST_ENTRY(body, struct targets_list, body);
	if (list->is_over) {
		return HTTP_BODY_END;
	}
	buf_reset(&list->out, 2 * PIECE_BYTES);
	if (!list->is_in_order) {
		return gather_some(list);
	}
	if (has_to_rest(list)) {
		return wait_for_turn(list);
	}
	if (!list->is_begun) {
		list->is_begun = true;
		buf_append(&list->out, list->writer->begin);
	}
	if (!go_on(list)) {
		return HTTP_BODY_FAILED;
	}
	if (list->out.len == 0 && !list->is_over) {
		return wait_for_turn(list);
	}
	list->part = buf_slice(&list->out);
	ret_piece->parts = &list->part;
	ret_piece->count = list->out.len > 0;
	return list->out.len > 0 ? HTTP_BODY_PIECE : HTTP_BODY_END;
}

static void close_list(struct http_body *body)
{
	struct targets_list *list = LIST_ENTRY(body, struct targets_list, body);
	registry_walk_end(&list->walk);
	list->is_closed = true;
	if (!list->is_waiting) {
		free_list(list);
	}
}

struct targets_list *targets_list_create(struct api *api, const struct targets_writer *writer)
{
	struct targets_list *list = memory_zalloc(1, sizeof(*list));
	*list = (struct targets_list){
		.body = { .next = next_piece, .close = close_list },
		.api = api,
		.writer = writer,
	};
	arena_init(&list->arena);
	buf_init(&list->out, 0);
	map_init(&list->seen);
	targets_sort_init(&list->sort);
	registry_walk_begin(&list->walk, api->targets);
	return list;
}

static void choose_modes(struct targets_list *list)
{
	const struct targets_writer *writer = list->writer;
	unsigned *modes = &list->query.filter.modes;
	*modes = *modes == 0 ? writer->modes : *modes & (writer->modes | writer->modes_asked);
}

void targets_list_drop(struct targets_list *list)
{
	list->body.close(&list->body);
}

void targets_list_send(struct targets_list *list, struct exchange *exchange)
{
	choose_modes(list);
	list->sort.order = list->query.order;
	list->is_in_order = list->query.order.name.ptr == NULL;
	exchange->response.status = 200;
	exchange->response.content_type = list->writer->content_type;
	coded_body_answer(&list->api->coded_pool, exchange, &list->body);
	exchange_answer(exchange);
}

void targets_list_answer(struct api *api, struct exchange *exchange, enum stats_handler handler,
		const struct targets_writer *writer, bool has_pages)
{
	struct targets_list *list = targets_list_create(api, writer);
	struct slice fault;
	bool is_good = targets_query_read(&list->query, exchange, has_pages, &list->arena, &fault)
			&& (!writer->needs_address
					|| own_address_find(
							api, exchange, &list->arena, &list->address, &list->scheme, &fault));
	stats_count_request(api->stats, handler, STATS_METHOD_GET, is_good ? 200 : 400);
	if (is_good) {
		targets_list_send(list, exchange);
		return;
	}
	json_answer_error(exchange, 400, fault);
	targets_list_drop(list);
	exchange_answer(exchange);
}
