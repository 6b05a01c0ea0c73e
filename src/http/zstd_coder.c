#include "http/zstd_coder.h"

#include <assert.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/memory.h"
#include "http/coder.h"

enum {
	LEVEL = 1,
	/* 128 KiB: as good for pages of metrics as more, and a megabyte of memory instead of 1.4. */
	WINDOW_LOG = 17,
};

struct zstd_stream {
	struct coder_stream stream;
	ZSTD_CCtx *context;
};

static void set(ZSTD_CCtx *context, ZSTD_cParameter parameter, int value)
{
	size_t status = ZSTD_CCtx_setParameter(context, parameter, value);
	assert(!ZSTD_isError(status));
}

static struct coder_stream *create(void)
{
	struct zstd_stream *zstd = memory_zalloc(1, sizeof(*zstd));
	list_init(&zstd->stream.link);
	zstd->context = ZSTD_createCCtx();
	assert(zstd->context != NULL);
	set(zstd->context, ZSTD_c_compressionLevel, LEVEL);
	set(zstd->context, ZSTD_c_windowLog, WINDOW_LOG);
	set(zstd->context, ZSTD_c_checksumFlag, 1);
	return &zstd->stream;
}

static void destroy(struct coder_stream *stream)
{
	struct zstd_stream *zstd = (struct zstd_stream *)stream;
	ZSTD_freeCCtx(zstd->context);
	free(zstd);
}

/* Also when the body before was not ended. */
static void begin(struct coder_stream *stream)
{
	struct zstd_stream *zstd = (struct zstd_stream *)stream;
	ZSTD_CCtx_reset(zstd->context, ZSTD_reset_session_only);
}

static void code(struct coder_stream *stream, struct coder_segment *segment)
{
	struct zstd_stream *zstd = (struct zstd_stream *)stream;
	ZSTD_inBuffer in = { .src = segment->raw, .size = segment->raw_bytes };
	ZSTD_outBuffer out = { .dst = segment->coded, .size = sizeof(segment->coded) };
	size_t left = ZSTD_compressStream2(zstd->context, &out, &in, ZSTD_e_flush);
	assert(left == 0 && in.pos == in.size);
	segment->coded_bytes = out.pos;
}

/* An empty last block and the checksum; a body without segments is all header. */
static size_t end(struct coder_stream *stream, unsigned char tail[CODER_TAIL_BYTES])
{
	struct zstd_stream *zstd = (struct zstd_stream *)stream;
	ZSTD_inBuffer in = { .src = "" };
	ZSTD_outBuffer out = { .dst = tail, .size = CODER_TAIL_BYTES };
	size_t left = ZSTD_compressStream2(zstd->context, &out, &in, ZSTD_e_end);
	assert(left == 0);
	return out.pos;
}

const struct coder zstd_coder = {
	.is_chained = true,
	.create = create,
	.destroy = destroy,
	.begin = begin,
	.code = code,
	.end = end,
};
