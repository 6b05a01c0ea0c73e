#include "http/unsnappy.h"

#include <isa-l/crc.h>
#include <snappy-c.h>
#include <stdint.h>

enum {
	CHUNK_COMPRESSED = 0x00,
	CHUNK_UNCOMPRESSED = 0x01,
	CHUNK_LAST_RESERVED = 0x7f, /* up to here chunks must not be skipped */
	CHUNK_STREAM = 0xff,
	CHUNK_HEADER_BYTES = 4,
	CHECKSUM_BYTES = 4,
	CHUNK_DECODED_MAX = 65536,
};

static uint32_t read_little_endian(const char *bytes, size_t count)
{
	uint32_t value = 0;
	for (size_t i = 0; i < count; i++) {
		value |= (uint32_t)(unsigned char)bytes[i] << (8 * i);
	}
	return value;
}

/* CRC-32C, rotated and offset as the format has it. */
static uint32_t masked_checksum(struct slice bytes)
{
	unsigned char *start = (unsigned char *)(uintptr_t)bytes.ptr;
	uint32_t crc = ~crc32_iscsi(start, (int)bytes.len, 0xffffffff);
	return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

static enum http_content_result corrupt(struct buf *error)
{
	buf_append_string(error, "snappy: corrupt input\n");
	return HTTP_CONTENT_E_CORRUPT;
}

static enum http_content_result unsupported(struct buf *error)
{
	buf_append_string(error, "snappy: unsupported input\n");
	return HTTP_CONTENT_E_CORRUPT;
}

/* A chunk of data: its checksum, then the bytes, compressed or not. */
static enum http_content_result add_data(unsigned type, struct slice chunk, size_t limit_bytes,
		struct buf *decoded, struct buf *error)
{
	if (chunk.len < CHECKSUM_BYTES) {
		return corrupt(error);
	}
	uint32_t checksum = read_little_endian(chunk.ptr, CHECKSUM_BYTES);
	struct slice data = slice_skip(chunk, CHECKSUM_BYTES);
	size_t len = data.len;
	if (type == CHUNK_COMPRESSED
			&& snappy_uncompressed_length(data.ptr, data.len, &len) != SNAPPY_OK) {
		return corrupt(error);
	}
	if (len > CHUNK_DECODED_MAX) {
		return corrupt(error);
	}
	if (len > limit_bytes - decoded->len) {
		return HTTP_CONTENT_E_TOO_LARGE;
	}
	buf_reserve(decoded, len);
	char *out = decoded->ptr + decoded->len;
	if (type == CHUNK_UNCOMPRESSED) {
		buf_append(decoded, data);
	} else if (snappy_uncompress(data.ptr, data.len, out, &len) != SNAPPY_OK) {
		return corrupt(error);
	} else {
		decoded->len += len;
	}
	return masked_checksum(slice_make(out, len)) == checksum ? HTTP_CONTENT_OK : corrupt(error);
}

enum http_content_result http_unsnappy(
		struct slice body, size_t limit_bytes, struct buf *decoded, struct buf *error)
{
	bool has_begun = false;
	while (body.len > 0) {
		if (body.len < CHUNK_HEADER_BYTES) {
			return corrupt(error);
		}
		unsigned type = (unsigned char)body.ptr[0];
		size_t len = read_little_endian(body.ptr + 1, 3);
		body = slice_skip(body, CHUNK_HEADER_BYTES);
		if ((!has_begun && type != CHUNK_STREAM) || len > body.len) {
			return corrupt(error);
		}
		struct slice chunk = slice_first(body, len);
		body = slice_skip(body, len);
		enum http_content_result result = HTTP_CONTENT_OK;
		if (type == CHUNK_STREAM) {
			has_begun = true;
			result = slice_equal(chunk, SLICE("sNaPpY")) ? HTTP_CONTENT_OK : corrupt(error);
		} else if (type <= CHUNK_UNCOMPRESSED) {
			result = add_data(type, chunk, limit_bytes, decoded, error);
		} else if (type <= CHUNK_LAST_RESERVED) {
			result = unsupported(error);
		}
		if (result != HTTP_CONTENT_OK) {
			return result;
		}
	}
	return HTTP_CONTENT_OK;
}
