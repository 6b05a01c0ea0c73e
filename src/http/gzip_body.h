#pragma once

/*
 * A body, gzip-coded while it is produced: for large pages.
 *
 *	header | segment | segment | ... | empty last block | CRC, length
 *	         each ended by a full flush
 *
 * The raw bytes are cut into segments, which know nothing of each other, so
 * that several are compressed at a time, each on a thread. The client sees one
 * member: curl and browsers stop after the first. A level for speed, since a
 * page is compressed for every scrape.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/job.h"
#include "base/list.h"
#include "http/body.h"

enum {
	GZIP_SEGMENT_BYTES = 256 * 1024, /* raw */
	GZIP_SEGMENTS_MAX = 4,           /* of one body, at a time */
};

/* Memory of segments, shared by all bodies of a server. */
struct gzip_pool {
	struct executor *executor;
	struct list spares; // gzip_segment::link
	size_t spare_count;
	size_t used_count;
};

void gzip_pool_init(struct gzip_pool *pool, struct executor *executor);

/* Every body must be gone: closed, and its jobs come back. */
void gzip_pool_finish(struct gzip_pool *pool);

/* Owns the inner body, and closes it. */
struct http_body *gzip_body_create(struct gzip_pool *pool, struct http_body *inner);
