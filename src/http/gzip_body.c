#include "http/gzip_body.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"

enum {
	/* Incompressible bytes grow by 5 a 64 KB block, a flush adds as many. */
	CODED_BYTES = GZIP_SEGMENT_BYTES + GZIP_SEGMENT_BYTES / 64 + 1024,
	SPARES_MAX = 8,
	/* All bodies together; beyond it, each body has one segment at a time. */
	USED_MAX = 32,
	TRAILER_BYTES = 10,
};

struct gzip_segment {
	struct job job;
	struct list link; // gzip_body::segments or gzip_pool::spares
	struct gzip_body *body;
	bool compressed;
	uint32_t crc; /* of the raw bytes */
	size_t raw_bytes;
	size_t coded_bytes;
	struct isal_zstream stream;
	unsigned char level_buf[ISAL_DEF_LVL1_DEFAULT];
	unsigned char raw[GZIP_SEGMENT_BYTES];
	unsigned char coded[CODED_BYTES];
};

enum source {
	SOURCE_READY,
	SOURCE_WAITS, /* the inner body said LATER */
	SOURCE_ENDED,
	SOURCE_FAILED,
};

struct gzip_body {
	struct http_body body;
	struct gzip_pool *pool;
	struct http_body *inner; /* NULL once closed */
	enum source source;
	struct http_piece piece; /* of the inner body, as far as it is not copied yet */
	size_t part_used;        /* bytes of its first part */

	struct list segments; // gzip_segment::link, in order
	size_t segment_count;
	struct gzip_segment *shown; /* the consumer reads it until it calls again */
	size_t working;             /* segments on threads */
	bool waited_for;            /* the consumer was told LATER */
	bool header_written;
	bool ended;

	uint32_t crc;
	uint32_t length;
	struct slice parts[2];
	unsigned char trailer[TRAILER_BYTES];
};

void gzip_pool_init(struct gzip_pool *pool, struct executor *executor)
{
	*pool = (struct gzip_pool){ .executor = executor };
	list_init(&pool->spares);
}

void gzip_pool_finish(struct gzip_pool *pool)
{
	assert(pool->used_count == 0);
	LIST_EACH (link, &pool->spares) {
		free(LIST_ENTRY(link, struct gzip_segment, link));
	}
}

/* Uninitialised but for its list link: the buffers are large. */
static struct gzip_segment *take_segment(struct gzip_pool *pool)
{
	pool->used_count++;
	struct list *link = list_first(&pool->spares);
	if (link != NULL) {
		list_remove(link);
		pool->spare_count--;
		return LIST_ENTRY(link, struct gzip_segment, link);
	}
	struct gzip_segment *segment = memory_alloc(sizeof(*segment));
	list_init(&segment->link);
	return segment;
}

static void give_back(struct gzip_pool *pool, struct gzip_segment *segment)
{
	pool->used_count--;
	list_remove(&segment->link);
	if (pool->spare_count == SPARES_MAX) {
		free(segment);
		return;
	}
	list_append(&pool->spares, &segment->link);
	pool->spare_count++;
}

/* On a thread: touches nothing but the segment. */
static void compress_segment(struct job *job)
{
	struct gzip_segment *segment = LIST_ENTRY(job, struct gzip_segment, job);
	struct isal_zstream *stream = &segment->stream;
	isal_deflate_init(stream);
	stream->level = 1;
	stream->level_buf = segment->level_buf;
	stream->level_buf_size = sizeof(segment->level_buf);
	stream->flush = FULL_FLUSH;
	stream->next_in = segment->raw;
	stream->avail_in = (uint32_t)segment->raw_bytes;
	stream->next_out = segment->coded;
	stream->avail_out = sizeof(segment->coded);
	int status = isal_deflate(stream);
	assert(status == COMP_OK && stream->avail_in == 0 && stream->avail_out != 0);
	segment->coded_bytes = sizeof(segment->coded) - stream->avail_out;
	segment->crc = crc32_gzip_refl(0, segment->raw, segment->raw_bytes);
}

static void free_when_unused(struct gzip_body *gzip)
{
	if (gzip->inner == NULL && gzip->working == 0) {
		LIST_EACH (link, &gzip->segments) {
			give_back(gzip->pool, LIST_ENTRY(link, struct gzip_segment, link));
		}
		free(gzip);
	}
}

static void tell_consumer(struct gzip_body *gzip)
{
	if (gzip->waited_for) {
		gzip->waited_for = false;
		gzip->body.ready(gzip->body.ready_data);
	}
}

static void on_compressed(struct job *job)
{
	struct gzip_segment *segment = LIST_ENTRY(job, struct gzip_segment, job);
	struct gzip_body *gzip = segment->body;
	segment->compressed = true;
	gzip->working--;
	if (gzip->inner == NULL) {
		free_when_unused(gzip);
	} else if (&segment->link == list_first(&gzip->segments)) {
		tell_consumer(gzip);
	}
}

static void on_inner_ready(void *data)
{
	struct gzip_body *gzip = data;
	gzip->source = SOURCE_READY;
	tell_consumer(gzip);
}

/* The inner body's next piece, unless the last one is not used up. */
static void fetch_piece(struct gzip_body *gzip)
{
	while (gzip->piece.count == 0 && gzip->source == SOURCE_READY) {
		gzip->part_used = 0;
		switch (gzip->inner->next(gzip->inner, &gzip->piece)) {
		case HTTP_BODY_PIECE:
			break;
		case HTTP_BODY_LATER:
			gzip->source = SOURCE_WAITS;
			break;
		case HTTP_BODY_END:
			gzip->source = SOURCE_ENDED;
			break;
		case HTTP_BODY_FAILED:
			gzip->source = SOURCE_FAILED;
			break;
		}
	}
}

/* Copies from the first part; false when the segment is full. */
static bool copy_part(struct gzip_body *gzip, struct gzip_segment *segment)
{
	struct slice part = gzip->piece.parts[0];
	size_t room = sizeof(segment->raw) - segment->raw_bytes;
	size_t bytes = part.len - gzip->part_used;
	bytes = bytes < room ? bytes : room;
	if (bytes != 0) {
		memcpy(segment->raw + segment->raw_bytes, part.ptr + gzip->part_used, bytes);
	}
	segment->raw_bytes += bytes;
	gzip->part_used += bytes;
	if (gzip->part_used != part.len) {
		return false;
	}
	gzip->piece.parts++;
	gzip->piece.count--;
	gzip->part_used = 0;
	return true;
}

/* Copies: a piece is good only until the next one. */
static void fill_segment(struct gzip_body *gzip, struct gzip_segment *segment)
{
	segment->raw_bytes = 0;
	do {
		fetch_piece(gzip);
	} while (gzip->piece.count != 0 && copy_part(gzip, segment));
}

static bool may_start(const struct gzip_body *gzip)
{
	bool alone = gzip->segment_count == 0;
	return gzip->segment_count < GZIP_SEGMENTS_MAX && (alone || gzip->pool->used_count < USED_MAX);
}

/* Sends as many segments to the threads as may be there. */
static void start_segments(struct gzip_body *gzip)
{
	while (may_start(gzip)) {
		fetch_piece(gzip);
		if (gzip->piece.count == 0) {
			return;
		}
		struct gzip_segment *segment = take_segment(gzip->pool);
		segment->body = gzip;
		segment->compressed = false;
		segment->job = (struct job){ .work = compress_segment, .done = on_compressed };
		fill_segment(gzip, segment);
		list_append(&gzip->segments, &segment->link);
		gzip->segment_count++;
		gzip->working++;
		executor_submit(gzip->pool->executor, &segment->job);
	}
}

static enum http_body_state show(
		struct gzip_body *gzip, struct slice bytes, struct http_piece *ret_piece)
{
	/* Deflate, no flags, no time, made fast, on Unix. */
	static const struct slice header = { "\x1f\x8b\x08\0\0\0\0\0\x04\x03", 10 };
	size_t count = 0;
	if (!gzip->header_written) {
		gzip->parts[count++] = header;
		gzip->header_written = true;
	}
	gzip->parts[count++] = bytes;
	*ret_piece = (struct http_piece){ .parts = gzip->parts, .count = count };
	return HTTP_BODY_PIECE;
}

static enum http_body_state show_segment(
		struct gzip_body *gzip, struct gzip_segment *segment, struct http_piece *ret_piece)
{
	list_remove(&segment->link);
	gzip->segment_count--;
	gzip->shown = segment;
	gzip->crc = (uint32_t)crc32_combine(gzip->crc, segment->crc, (z_off_t)segment->raw_bytes);
	gzip->length += (uint32_t)segment->raw_bytes;
	struct slice coded = slice_make((const char *)segment->coded, segment->coded_bytes);
	return show(gzip, coded, ret_piece);
}

static void write_le(unsigned char *at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++) {
		at[i] = (unsigned char)(value >> (8 * i));
	}
}

/* A last, empty block with fixed codes, the checksum, and the length. */
static enum http_body_state show_trailer(struct gzip_body *gzip, struct http_piece *ret_piece)
{
	gzip->ended = true;
	gzip->trailer[0] = 0x03;
	gzip->trailer[1] = 0x00;
	write_le(gzip->trailer + 2, gzip->crc);
	write_le(gzip->trailer + 6, gzip->length);
	return show(gzip, slice_make((const char *)gzip->trailer, TRAILER_BYTES), ret_piece);
}

static enum http_body_state next(struct http_body *body, struct http_piece *ret_piece)
{
	struct gzip_body *gzip = LIST_ENTRY(body, struct gzip_body, body);
	if (gzip->shown != NULL) {
		give_back(gzip->pool, gzip->shown);
		gzip->shown = NULL;
	}
	start_segments(gzip);
	if (gzip->source == SOURCE_FAILED) {
		return HTTP_BODY_FAILED;
	}
	struct list *first = list_first(&gzip->segments);
	if (first == NULL && gzip->source == SOURCE_ENDED) {
		return gzip->ended ? HTTP_BODY_END : show_trailer(gzip, ret_piece);
	}
	if (first != NULL && LIST_ENTRY(first, struct gzip_segment, link)->compressed) {
		return show_segment(gzip, LIST_ENTRY(first, struct gzip_segment, link), ret_piece);
	}
	gzip->waited_for = true;
	return HTTP_BODY_LATER;
}

static void close_body(struct http_body *body)
{
	struct gzip_body *gzip = LIST_ENTRY(body, struct gzip_body, body);
	struct http_body *inner = gzip->inner;
	gzip->inner = NULL;
	gzip->waited_for = false;
	inner->close(inner);
	if (gzip->shown != NULL) {
		give_back(gzip->pool, gzip->shown);
		gzip->shown = NULL;
	}
	free_when_unused(gzip);
}

struct http_body *gzip_body_create(struct gzip_pool *pool, struct http_body *inner)
{
	struct gzip_body *gzip = memory_zalloc(1, sizeof(*gzip));
	gzip->body.next = next;
	gzip->body.close = close_body;
	gzip->pool = pool;
	gzip->inner = inner;
	inner->ready = on_inner_ready;
	inner->ready_data = gzip;
	list_init(&gzip->segments);
	return &gzip->body;
}
