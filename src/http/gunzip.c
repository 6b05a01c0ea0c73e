#include "http/gunzip.h"

#include <isa-l/crc.h>
#include <stdint.h>
#include <zlib.h>

enum {
	HEADER_BYTES = 10,
	TRAILER_BYTES = 8,
	/* Step by which a body grows at least; what deflate makes of few bytes may be much. */
	STEP_BYTES = 32 * 1024,
};

/* Flags of a member's header. */
enum {
	FLAG_HEADER_CRC = 1 << 1,
	FLAG_EXTRA = 1 << 2,
	FLAG_NAME = 1 << 3,
	FLAG_COMMENT = 1 << 4,
};

/* What is left to read, and where the decoded bytes go. */
struct gunzip {
	struct slice rest;
	size_t limit_bytes;
	struct buf *decoded;
	struct buf *error;
	z_stream stream;
};

static enum http_content_result fail(struct gunzip *gunzip, const char *text)
{
	buf_append_string(gunzip->error, text);
	return HTTP_CONTENT_E_CORRUPT;
}

static uint32_t read_le(const char *at, size_t bytes)
{
	uint32_t value = 0;
	for (size_t i = 0; i < bytes; i++) {
		value |= (uint32_t)(unsigned char)at[i] << (8 * i);
	}
	return value;
}

/* Up to and including a NUL. */
static bool skip_string(struct slice *rest)
{
	const char *nul = slice_find_byte(*rest, '\0');
	if (nul == NULL) {
		return false;
	}
	*rest = slice_between(nul + 1, rest->ptr + rest->len);
	return true;
}

static bool skip_extra(struct slice *rest)
{
	if (rest->len < 2) {
		return false;
	}
	size_t bytes = 2 + read_le(rest->ptr, 2);
	if (bytes > rest->len) {
		return false;
	}
	*rest = slice_skip(*rest, bytes);
	return true;
}

/*
 *	1f 8b  08  flags  mtime(4)  xfl  os  [extra] [name] [comment] [crc16]
 */
static enum http_content_result skip_header(struct gunzip *gunzip)
{
	struct slice rest = gunzip->rest;
	if (rest.len < HEADER_BYTES) {
		return fail(gunzip, "unexpected EOF\n");
	}
	if (!slice_starts_with(rest, SLICE("\x1f\x8b\x08"))) {
		return fail(gunzip, "gzip: invalid header\n");
	}
	int flags = rest.ptr[3];
	rest = slice_skip(rest, HEADER_BYTES);
	if (((flags & FLAG_EXTRA) != 0 && !skip_extra(&rest))
			|| ((flags & FLAG_NAME) != 0 && !skip_string(&rest))
			|| ((flags & FLAG_COMMENT) != 0 && !skip_string(&rest))) {
		return fail(gunzip, "unexpected EOF\n");
	}
	if ((flags & FLAG_HEADER_CRC) != 0) {
		size_t header_bytes = (size_t)(rest.ptr - gunzip->rest.ptr);
		uint32_t crc = (uint32_t)crc32(0, (const Bytef *)gunzip->rest.ptr, (uInt)header_bytes);
		if (rest.len < 2) {
			return fail(gunzip, "unexpected EOF\n");
		}
		if (read_le(rest.ptr, 2) != (crc & 0xffff)) {
			return fail(gunzip, "gzip: invalid header\n");
		}
		rest = slice_skip(rest, 2);
	}
	gunzip->rest = rest;
	return HTTP_CONTENT_OK;
}

/* Gives zlib room behind the decoded bytes: one byte more than allowed tells that there is more. */
static size_t make_room(struct gunzip *gunzip)
{
	struct buf *decoded = gunzip->decoded;
	size_t allowed = gunzip->limit_bytes - decoded->len;
	if (decoded->capacity - decoded->len < STEP_BYTES) {
		buf_reserve(decoded, (allowed < STEP_BYTES ? allowed : STEP_BYTES) + 1);
	}
	size_t room = decoded->capacity - decoded->len;
	room = room <= allowed ? room : allowed + 1;
	gunzip->stream.next_out = (Bytef *)(decoded->ptr + decoded->len);
	gunzip->stream.avail_out = (uInt)(room < UINT32_MAX ? room : UINT32_MAX);
	return gunzip->stream.avail_out;
}

/* The deflate data of one member. */
static enum http_content_result inflate_data(struct gunzip *gunzip)
{
	z_stream *stream = &gunzip->stream;
	struct slice data = gunzip->rest;
	stream->next_in = (Bytef *)(uintptr_t)data.ptr;
	stream->avail_in = (uInt)data.len;
	for (;;) {
		size_t room = make_room(gunzip);
		int status = inflate(stream, Z_NO_FLUSH);
		gunzip->decoded->len += room - stream->avail_out;
		if (gunzip->decoded->len > gunzip->limit_bytes) {
			return HTTP_CONTENT_E_TOO_LARGE;
		}
		if (status == Z_STREAM_END) {
			gunzip->rest = slice_skip(data, data.len - stream->avail_in);
			return HTTP_CONTENT_OK;
		}
		if (status == Z_DATA_ERROR) {
			buf_printf(gunzip->error, "flate: corrupt input before offset %zu\n",
					data.len - stream->avail_in);
			return HTTP_CONTENT_E_CORRUPT;
		}
		if (status != Z_OK || (stream->avail_in == 0 && stream->avail_out != 0)) {
			return fail(gunzip, "unexpected EOF\n");
		}
	}
}

/* CRC and length of what this member added behind `before`. */
static enum http_content_result check_trailer(struct gunzip *gunzip, size_t before)
{
	if (gunzip->rest.len < TRAILER_BYTES) {
		return fail(gunzip, "unexpected EOF\n");
	}
	struct slice added = slice_skip(buf_slice(gunzip->decoded), before);
	uint32_t crc = crc32_gzip_refl(0, (const unsigned char *)added.ptr, added.len);
	if (read_le(gunzip->rest.ptr, 4) != crc
			|| read_le(gunzip->rest.ptr + 4, 4) != (uint32_t)added.len) {
		return fail(gunzip, "gzip: invalid checksum\n");
	}
	gunzip->rest = slice_skip(gunzip->rest, TRAILER_BYTES);
	return HTTP_CONTENT_OK;
}

static enum http_content_result gunzip_member(struct gunzip *gunzip)
{
	enum http_content_result result = skip_header(gunzip);
	if (result != HTTP_CONTENT_OK) {
		return result;
	}
	size_t before = gunzip->decoded->len;
	inflateReset(&gunzip->stream);
	result = inflate_data(gunzip);
	return result == HTTP_CONTENT_OK ? check_trailer(gunzip, before) : result;
}

enum http_content_result http_gunzip(
		struct slice body, size_t limit_bytes, struct buf *decoded, struct buf *error)
{
	struct gunzip gunzip = {
		.rest = body,
		.limit_bytes = limit_bytes,
		.decoded = decoded,
		.error = error,
	};
	if (body.len == 0) {
		return fail(&gunzip, "EOF\n");
	}
	/* Raw deflate: the header is read here, for the sake of the errors. */
	if (inflateInit2(&gunzip.stream, -MAX_WBITS) != Z_OK) {
		return fail(&gunzip, "gzip: no memory\n");
	}
	enum http_content_result result = HTTP_CONTENT_OK;
	while (result == HTTP_CONTENT_OK && gunzip.rest.len != 0) {
		result = gunzip_member(&gunzip);
	}
	inflateEnd(&gunzip.stream);
	return result;
}
