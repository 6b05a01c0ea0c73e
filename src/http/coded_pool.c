#include "http/coded_pool.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "http/coder.h"

/* What is kept when no body is being compressed: enough for two pages at a time. */
enum { IDLE_SEGMENTS_MAX = 8, IDLE_STREAMS_MAX = 2 };

static void init_spares(struct coded_spares *spares)
{
	*spares = (struct coded_spares){ 0 };
	list_init(&spares->list);
}

/* NULL when there is none; then one has to be made. */
static struct list *take(struct coded_spares *spares)
{
	spares->used_count++;
	struct list *link = list_first(&spares->list);
	if (link != NULL) {
		list_remove(link);
		spares->count--;
	}
	return link;
}

static void keep(struct coded_spares *spares, struct list *link)
{
	spares->used_count--;
	list_append(&spares->list, link);
	spares->count++;
}

/* One more than is to be kept, which has to be freed; or NULL. */
static struct list *take_surplus(struct coded_spares *spares, size_t kept)
{
	struct list *link = list_first(&spares->list);
	if (spares->count <= kept) {
		return NULL;
	}
	list_remove(link);
	spares->count--;
	return link;
}

static void free_segments(struct coded_pool *pool, size_t kept)
{
	struct list *link;
	while ((link = take_surplus(&pool->segments, kept)) != NULL) {
		free(LIST_ENTRY(link, struct coder_segment, link));
	}
}

static void free_streams(struct coded_pool *pool, enum http_coding coding, size_t kept)
{
	struct list *link;
	while ((link = take_surplus(&pool->streams[coding], kept)) != NULL) {
		coder_of(coding)->destroy(LIST_ENTRY(link, struct coder_stream, link));
	}
}

void coded_pool_init(struct coded_pool *pool, struct executor *executor)
{
	pool->executor = executor;
	init_spares(&pool->segments);
	for (enum http_coding coding = 0; coding < HTTP_CODING_COUNT; coding++) {
		init_spares(&pool->streams[coding]);
	}
	list_init(&pool->waiters);
}

void coded_pool_finish(struct coded_pool *pool)
{
	assert(pool->segments.used_count == 0 && list_is_empty(&pool->waiters));
	free_segments(pool, 0);
	for (enum http_coding coding = 0; coding < HTTP_CODING_COUNT; coding++) {
		assert(pool->streams[coding].used_count == 0);
		free_streams(pool, coding, 0);
	}
}

struct coder_segment *coded_pool_find_segment(struct coded_pool *pool)
{
	if (pool->segments.used_count == CODED_POOL_SEGMENTS_MAX) {
		return NULL;
	}
	struct list *link = take(&pool->segments);
	if (link != NULL) {
		return LIST_ENTRY(link, struct coder_segment, link);
	}
	/* Uninitialised but for its link: the buffers are large. */
	struct coder_segment *segment = memory_alloc(sizeof(*segment));
	list_init(&segment->link);
	return segment;
}

void coded_pool_wait(struct coded_pool *pool, struct coded_waiter *waiter)
{
	list_append(&pool->waiters, &waiter->link);
}

void coded_pool_wake(struct coded_pool *pool)
{
	struct list *link = list_first(&pool->waiters);
	if (link != NULL && pool->segments.used_count < CODED_POOL_SEGMENTS_MAX) {
		list_remove(link);
		struct coded_waiter *waiter = LIST_ENTRY(link, struct coded_waiter, link);
		waiter->wake(waiter);
	}
}

void coded_pool_return_segment(struct coded_pool *pool, struct coder_segment *segment)
{
	keep(&pool->segments, &segment->link);
	coded_pool_wake(pool);
}

struct coder_stream *coded_pool_take_stream(struct coded_pool *pool, enum http_coding coding)
{
	const struct coder *coder = coder_of(coding);
	struct list *link = take(&pool->streams[coding]);
	struct coder_stream *stream =
			link == NULL ? coder->create() : LIST_ENTRY(link, struct coder_stream, link);
	coder->begin(stream);
	return stream;
}

static bool is_idle(const struct coded_pool *pool)
{
	size_t used_count = 0;
	for (enum http_coding coding = 0; coding < HTTP_CODING_COUNT; coding++) {
		used_count += pool->streams[coding].used_count;
	}
	return used_count == 0;
}

/* Under load everything is kept: memory that comes and goes costs more than compressing. */
void coded_pool_return_stream(
		struct coded_pool *pool, enum http_coding coding, struct coder_stream *stream)
{
	keep(&pool->streams[coding], &stream->link);
	if (is_idle(pool)) {
		free_segments(pool, IDLE_SEGMENTS_MAX);
		free_streams(pool, HTTP_CODING_GZIP, IDLE_STREAMS_MAX);
		free_streams(pool, HTTP_CODING_ZSTD, IDLE_STREAMS_MAX);
	}
}
