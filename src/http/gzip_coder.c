#include "http/gzip_coder.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"
#include "http/coder.h"

enum { TRAILER_BYTES = 10 };

struct gzip_stream {
	struct coder_stream stream;
	uint32_t crc;
	uint32_t length; /* modulo 2^32 */
};

static struct coder_stream *create(void)
{
	struct gzip_stream *gzip = memory_zalloc(1, sizeof(*gzip));
	list_init(&gzip->stream.link);
	return &gzip->stream;
}

static void destroy(struct coder_stream *stream)
{
	free(stream);
}

static void begin(struct coder_stream *stream)
{
	struct gzip_stream *gzip = (struct gzip_stream *)stream;
	gzip->crc = 0;
	gzip->length = 0;
}

static void code(struct coder_stream *unused, struct coder_segment *segment)
{
	struct isal_zstream *stream = &segment->gzip.stream;
	isal_deflate_init(stream);
	stream->level = 1;
	stream->level_buf = segment->gzip.level_buf;
	stream->level_buf_size = sizeof(segment->gzip.level_buf);
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

static void add(struct coder_stream *stream, uint32_t crc, size_t raw_bytes)
{
	struct gzip_stream *gzip = (struct gzip_stream *)stream;
	gzip->crc = (uint32_t)crc32_combine(gzip->crc, crc, (z_off_t)raw_bytes);
	gzip->length += (uint32_t)raw_bytes;
}

static void write_le(unsigned char *at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++) {
		at[i] = (unsigned char)(value >> (8 * i));
	}
}

/* A last, empty block with fixed codes, the checksum, and the length. */
static size_t end(struct coder_stream *stream, unsigned char tail[CODER_TAIL_BYTES])
{
	const struct gzip_stream *gzip = (struct gzip_stream *)stream;
	tail[0] = 0x03;
	tail[1] = 0x00;
	write_le(tail + 2, gzip->crc);
	write_le(tail + 6, gzip->length);
	return TRAILER_BYTES;
}

const struct coder gzip_coder = {
	/* Deflate, no flags, no time, made fast, on Unix. */
	.head = SLICE_INIT("\x1f\x8b\x08\0\0\0\0\0\x04\x03"),
	.create = create,
	.destroy = destroy,
	.begin = begin,
	.code = code,
	.add = add,
	.end = end,
};
