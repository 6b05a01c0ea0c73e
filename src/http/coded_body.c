#include "http/coded_body.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "http/coder.h"
#include "http/negotiate.h"

enum source {
	SOURCE_READY,
	SOURCE_WAITS, /* the inner body said LATER */
	SOURCE_ENDED,
	SOURCE_FAILED,
};

/* A segment's place in the order, and what became of it. */
struct slot {
	bool is_coded;
	uint32_t crc;
	size_t raw_bytes;
	char *coded; /* on the heap, or NULL */
	size_t coded_bytes;
};

struct coded_body {
	struct http_body body;
	struct coded_pool *pool;
	enum http_coding coding;
	const struct coder *coder;
	struct coder_stream *stream;

	struct http_body *inner; /* NULL once closed */
	enum source source;
	struct http_piece piece; /* of the inner body, as far as it is not copied yet */
	size_t part_used;        /* bytes of its first part */

	struct slot slots[CODED_BODY_SEGMENTS_MAX]; /* a ring */
	size_t first_slot;
	size_t slot_count;
	size_t working; /* segments on threads */
	char *shown;    /* the consumer reads it until it calls again; on the heap */

	bool waited_for; /* the consumer was told LATER */
	struct coded_waiter waiter;
	bool has_begun;
	bool has_ended;
	unsigned char tail[CODER_TAIL_BYTES];
	struct slice parts[2];
};

/* ---- From the inner body to the threads ---- */

/* The inner body's next piece, unless the last one is not used up. */
static void fetch_piece(struct coded_body *body)
{
	while (body->piece.count == 0 && body->source == SOURCE_READY) {
		body->part_used = 0;
		switch (body->inner->next(body->inner, &body->piece)) {
		case HTTP_BODY_PIECE:
			break;
		case HTTP_BODY_LATER:
			body->source = SOURCE_WAITS;
			break;
		case HTTP_BODY_END:
			body->source = SOURCE_ENDED;
			break;
		case HTTP_BODY_FAILED:
			body->source = SOURCE_FAILED;
			break;
		}
	}
}

/* Copies from the first part; false when the segment is full. */
static bool copy_part(struct coded_body *body, struct coder_segment *segment)
{
	struct slice part = body->piece.parts[0];
	size_t room = sizeof(segment->raw) - segment->raw_bytes;
	size_t bytes = part.len - body->part_used;
	bytes = bytes < room ? bytes : room;
	if (bytes != 0) {
		memcpy(segment->raw + segment->raw_bytes, part.ptr + body->part_used, bytes);
	}
	segment->raw_bytes += bytes;
	body->part_used += bytes;
	if (body->part_used != part.len) {
		return false;
	}
	body->piece.parts++;
	body->piece.count--;
	body->part_used = 0;
	return true;
}

/* Copies: a piece is good only until the next one. */
static void fill_segment(struct coded_body *body, struct coder_segment *segment)
{
	segment->raw_bytes = 0;
	do {
		fetch_piece(body);
	} while (body->piece.count != 0 && copy_part(body, segment));
}

static void code_segment(struct job *job)
{
	struct coder_segment *segment = LIST_ENTRY(job, struct coder_segment, job);
	segment->body->coder->code(segment->body->stream, segment);
}

static void on_coded(struct job *job);

static void start_segment(struct coded_body *body, struct coder_segment *segment)
{
	segment->job = (struct job){ .work = code_segment, .done = on_coded };
	segment->body = body;
	segment->slot = (body->first_slot + body->slot_count++) % CODED_BODY_SEGMENTS_MAX;
	body->slots[segment->slot] = (struct slot){ .is_coded = false };
	body->working++;
	fill_segment(body, segment);
	executor_submit(body->pool->executor, &segment->job);
}

static bool may_start(const struct coded_body *body)
{
	return body->slot_count < CODED_BODY_SEGMENTS_MAX
			&& (body->working == 0 || !body->coder->is_chained);
}

/* Sends as many segments to the threads as may be there. */
static void start_segments(struct coded_body *body)
{
	while (may_start(body)) {
		fetch_piece(body);
		if (body->piece.count == 0) {
			return;
		}
		struct coder_segment *segment = coded_pool_find_segment(body->pool);
		if (segment == NULL) {
			return;
		}
		start_segment(body, segment);
	}
}

/* ---- Back from the threads ---- */

static void tell_consumer(struct coded_body *body)
{
	if (body->waited_for) {
		body->waited_for = false;
		list_remove(&body->waiter.link);
		body->body.ready(body->body.ready_data);
	}
}

static void on_inner_ready(void *data)
{
	struct coded_body *body = data;
	body->source = SOURCE_READY;
	tell_consumer(body);
}

static void on_segment_back(struct coded_waiter *waiter)
{
	tell_consumer(LIST_ENTRY(waiter, struct coded_body, waiter));
}

static void free_when_unused(struct coded_body *body)
{
	if (body->inner != NULL || body->working != 0) {
		return;
	}
	for (size_t i = 0; i < CODED_BODY_SEGMENTS_MAX; i++) {
		free(body->slots[i].coded);
	}
	coded_pool_return_stream(body->pool, body->coding, body->stream);
	free(body);
}

/* Compressed bytes are few: copied, so that the segment is free for others. */
static void fill_slot(struct slot *slot, const struct coder_segment *segment)
{
	char *coded = memory_alloc(segment->coded_bytes);
	memcpy(coded, segment->coded, segment->coded_bytes);
	*slot = (struct slot){
		.is_coded = true,
		.crc = segment->crc,
		.raw_bytes = segment->raw_bytes,
		.coded = coded,
		.coded_bytes = segment->coded_bytes,
	};
}

static void on_coded(struct job *job)
{
	struct coder_segment *segment = LIST_ENTRY(job, struct coder_segment, job);
	struct coded_body *body = segment->body;
	struct coded_pool *pool = body->pool;
	size_t slot = segment->slot;
	body->working--;
	if (body->inner == NULL) {
		free_when_unused(body);
		coded_pool_return_segment(pool, segment);
		return;
	}
	fill_slot(&body->slots[slot], segment);
	/* Who waits for it comes before the consumer, who may want it for the next bytes. */
	coded_pool_return_segment(pool, segment);
	if (slot == body->first_slot) {
		tell_consumer(body);
	}
}

/* ---- To the consumer ---- */

static enum http_body_state show(
		struct coded_body *body, struct slice bytes, struct http_piece *ret_piece)
{
	size_t count = 0;
	if (!body->has_begun && body->coder->head.len != 0) {
		body->parts[count++] = body->coder->head;
	}
	body->has_begun = true;
	body->parts[count++] = bytes;
	*ret_piece = (struct http_piece){ .parts = body->parts, .count = count };
	return HTTP_BODY_PIECE;
}

static enum http_body_state show_slot(struct coded_body *body, struct http_piece *ret_piece)
{
	struct slot *slot = &body->slots[body->first_slot];
	body->first_slot = (body->first_slot + 1) % CODED_BODY_SEGMENTS_MAX;
	body->slot_count--;
	if (body->coder->add != NULL) {
		body->coder->add(body->stream, slot->crc, slot->raw_bytes);
	}
	struct slice coded = slice_make(slot->coded, slot->coded_bytes);
	body->shown = slot->coded;
	*slot = (struct slot){ .is_coded = false };
	return show(body, coded, ret_piece);
}

static enum http_body_state show_tail(struct coded_body *body, struct http_piece *ret_piece)
{
	body->has_ended = true;
	size_t bytes = body->coder->end(body->stream, body->tail);
	return show(body, slice_make((const char *)body->tail, bytes), ret_piece);
}

static void drop_shown(struct coded_body *body)
{
	free(body->shown);
	body->shown = NULL;
}

static enum http_body_state next(struct http_body *http_body, struct http_piece *ret_piece)
{
	struct coded_body *body = LIST_ENTRY(http_body, struct coded_body, body);
	drop_shown(body);
	start_segments(body);
	if (body->source == SOURCE_FAILED) {
		return HTTP_BODY_FAILED;
	}
	if (body->slot_count == 0 && body->source == SOURCE_ENDED) {
		return body->has_ended ? HTTP_BODY_END : show_tail(body, ret_piece);
	}
	if (body->slot_count != 0 && body->slots[body->first_slot].is_coded) {
		return show_slot(body, ret_piece);
	}
	body->waited_for = true;
	if (body->slot_count == 0 && body->source == SOURCE_READY) {
		coded_pool_wait(body->pool, &body->waiter);
	}
	return HTTP_BODY_LATER;
}

static void close_body(struct http_body *http_body)
{
	struct coded_body *body = LIST_ENTRY(http_body, struct coded_body, body);
	struct coded_pool *pool = body->pool;
	struct http_body *inner = body->inner;
	body->inner = NULL;
	body->waited_for = false;
	list_remove(&body->waiter.link);
	inner->close(inner);
	drop_shown(body);
	free_when_unused(body);
	/* A segment may have been meant for this one. */
	coded_pool_wake(pool);
}

/* ---- Beginning ---- */

struct http_body *coded_body_create(
		struct coded_pool *pool, enum http_coding coding, struct http_body *inner)
{
	struct coded_body *body = memory_zalloc(1, sizeof(*body));
	body->body.next = next;
	body->body.close = close_body;
	body->pool = pool;
	body->coding = coding;
	body->coder = coder_of(coding);
	body->stream = coded_pool_take_stream(pool, coding);
	body->inner = inner;
	inner->ready = on_inner_ready;
	inner->ready_data = body;
	body->waiter.wake = on_segment_back;
	list_init(&body->waiter.link);
	return &body->body;
}

void coded_body_answer(struct coded_pool *pool, struct exchange *exchange, struct http_body *body)
{
	struct slice accepted = http_list_header(exchange, SLICE("Accept-Encoding"));
	enum http_coding coding = http_negotiate_coding(accepted, coded_pool_offers_zstd(pool));
	exchange->response.stream = body;
	if (coding != HTTP_CODING_IDENTITY) {
		exchange_add_field(exchange, SLICE("Content-Encoding"), http_coding_name(coding));
		exchange->response.stream = coded_body_create(pool, coding, body);
	}
}
