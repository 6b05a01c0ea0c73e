#pragma once

/*
 * What bodies are compressed with, shared by all of a server: segments, of
 * which there is a limited number, and the codings' streams. For coded_body.c.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/job.h"
#include "base/list.h"
#include "http/content.h"

struct coder_segment;
struct coder_stream;

enum {
	CODED_POOL_SEGMENTS_MAX = 32,
	CODED_POOL_ZSTD_MAX = 32, /* bodies at a time: each takes a megabyte as long as it lasts */
};

/* Who waits for a segment. */
struct coded_waiter {
	struct list link; // coded_pool::waiters
	void (*wake)(struct coded_waiter *waiter);
};

/* Things to be used again, so that they need not be allocated for each page. */
struct coded_spares {
	struct list list; // coder_segment::link or coder_stream::link
	size_t count;
	size_t used_count; /* those that are taken */
};

struct coded_pool {
	struct executor *executor;
	struct coded_spares segments;
	struct coded_spares streams[HTTP_CODING_COUNT];
	struct list waiters; // coded_waiter::link
};

void coded_pool_init(struct coded_pool *pool, struct executor *executor);

/* Every body must be gone: closed, and its jobs come back. */
void coded_pool_finish(struct coded_pool *pool);

/* NULL when all are in use. */
struct coder_segment *coded_pool_find_segment(struct coded_pool *pool);
void coded_pool_return_segment(struct coded_pool *pool, struct coder_segment *segment);

/*
 * wake() is called once, when a segment is there, unless the waiter is removed
 * from the list before. One that was woken and does not take it after all
 * passes it on with coded_pool_wake().
 */
void coded_pool_wait(struct coded_pool *pool, struct coded_waiter *waiter);
void coded_pool_wake(struct coded_pool *pool);

/* Ready for a new body. */
struct coder_stream *coded_pool_take_stream(struct coded_pool *pool, enum http_coding coding);
void coded_pool_return_stream(
		struct coded_pool *pool, enum http_coding coding, struct coder_stream *stream);

static inline bool coded_pool_offers_zstd(const struct coded_pool *pool)
{
	return pool->streams[HTTP_CODING_ZSTD].used_count < CODED_POOL_ZSTD_MAX;
}
