#pragma once

/*
 * A content coding of responses. For coded_body.c, which feeds it segments.
 *
 * The segments of a body may be coded at the same time, in any order, unless
 * the coding is chained: then each goes on from where the one before ended.
 * To add a coding: a struct coder, a line in coder.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/job.h"
#include "base/list.h"
#include "base/slice.h"
#include "http/content.h"
#include "http/gzip_coder.h"

struct coded_body;

enum {
	CODER_SEGMENT_BYTES = 256 * 1024, /* raw */
	/* What does not compress grows by a few bytes a block, and by those that end a segment. */
	CODER_CODED_BYTES = CODER_SEGMENT_BYTES + CODER_SEGMENT_BYTES / 64 + 1024,
	CODER_TAIL_BYTES = 64,
};

struct coder_segment {
	struct job job;
	struct list link; // coded_pool::spares
	struct coded_body *body;
	size_t slot; /* of the body, where the coded bytes belong */

	size_t raw_bytes;
	size_t coded_bytes;
	uint32_t crc; /* of the raw bytes, for a coding that needs it */
	struct gzip_state gzip;
	unsigned char raw[CODER_SEGMENT_BYTES];
	unsigned char coded[CODER_CODED_BYTES];
};

/* What a coding keeps for one body. */
struct coder_stream {
	struct list link; // coded_pool::streams, while no body has it
};

struct coder {
	struct slice head; /* what a body begins with */
	bool is_chained;

	struct coder_stream *(*create)(void);
	void (*destroy)(struct coder_stream *stream);

	/* For a new body. */
	void (*begin)(struct coder_stream *stream);

	/* Raw to coded. On a thread; leaves the stream alone unless the coding is chained. */
	void (*code)(struct coder_stream *stream, struct coder_segment *segment);

	/* Called for each segment, in order; NULL if the coding has no use for it. */
	void (*add)(struct coder_stream *stream, uint32_t crc, size_t raw_bytes);

	/* What a body ends with; returns how many bytes. */
	size_t (*end)(struct coder_stream *stream, unsigned char tail[CODER_TAIL_BYTES]);
};

/* NULL for a coding that responses do not have. */
const struct coder *coder_of(enum http_coding coding);
