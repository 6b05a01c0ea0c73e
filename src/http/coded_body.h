#pragma once

/*
 * A body that is compressed while it is produced: for large pages.
 *
 *	inner body --> segment --> thread --> bytes --> consumer
 *	           --> segment --> thread --> bytes -->
 *
 * The raw bytes are cut into segments, each is compressed on a thread, and
 * what becomes of them is shown in order, as one gzip member or one zstd frame:
 * curl and browsers stop after the first. At a level for speed, since a page is
 * compressed for every scrape.
 *
 * A segment is in use only while a thread is at work on it. A body whose client
 * reads slowly holds compressed bytes and nothing that another one needs.
 */

#include "http/body.h"
#include "http/coded_pool.h"
#include "http/content.h"
#include "http/exchange.h"

enum { CODED_BODY_SEGMENTS_MAX = 4 }; /* at a time, those that wait for the consumer included */

/*
 * The body under a coding, gzip or zstd. Owns the inner body, and closes it.
 */
struct http_body *coded_body_create(
		struct coded_pool *pool, enum http_coding coding, struct http_body *inner);

/*
 * Makes the body that of the exchange's response, under the coding its request
 * asks for, and adds the header that says so. Owns the body.
 */
void coded_body_answer(struct coded_pool *pool, struct exchange *exchange, struct http_body *body);
