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

/* Cuts a chunk off the front; false when it is cut short. */
static bool take_chunk(struct slice *rest, unsigned *ret_type, struct slice *ret_chunk)
{
	if (rest->len < CHUNK_HEADER_BYTES) {
		return false;
	}
	size_t len = read_little_endian(rest->ptr + 1, 3);
	if (len > rest->len - CHUNK_HEADER_BYTES) {
		return false;
	}
	*ret_type = (unsigned char)rest->ptr[0];
	*ret_chunk = slice_make(rest->ptr + CHUNK_HEADER_BYTES, len);
	*rest = slice_skip(*rest, CHUNK_HEADER_BYTES + len);
	return true;
}

/* What a chunk of data becomes; false when it does not say so rightly. */
static bool measure_data(unsigned type, struct slice chunk, size_t *ret_bytes)
{
	if (chunk.len < CHECKSUM_BYTES) {
		return false;
	}
	struct slice data = slice_skip(chunk, CHECKSUM_BYTES);
	size_t bytes = data.len;
	if (type == CHUNK_COMPRESSED
			&& snappy_uncompressed_length(data.ptr, data.len, &bytes) != SNAPPY_OK) {
		return false;
	}
	*ret_bytes = bytes;
	return bytes <= CHUNK_DECODED_MAX;
}

/* What all chunks become, up to the first that is not right. */
static size_t measure(struct slice body)
{
	size_t total = 0;
	unsigned type;
	struct slice chunk;
	while (take_chunk(&body, &type, &chunk)) {
		size_t bytes = 0;
		if (type <= CHUNK_UNCOMPRESSED && !measure_data(type, chunk, &bytes)) {
			break;
		}
		total += bytes;
	}
	return total;
}

/* A chunk of data: its checksum, then the bytes, compressed or not. */
static enum http_content_result add_data(
		unsigned type, struct slice chunk, struct buf *decoded, struct buf *error)
{
	size_t bytes;
	if (!measure_data(type, chunk, &bytes)) {
		return corrupt(error);
	}
	uint32_t checksum = read_little_endian(chunk.ptr, CHECKSUM_BYTES);
	struct slice data = slice_skip(chunk, CHECKSUM_BYTES);
	char *out = decoded->ptr + decoded->len;
	if (type == CHUNK_UNCOMPRESSED) {
		buf_append(decoded, data);
	} else if (snappy_uncompress(data.ptr, data.len, out, &bytes) != SNAPPY_OK) {
		return corrupt(error);
	} else {
		decoded->len += bytes;
	}
	return masked_checksum(slice_make(out, bytes)) == checksum ? HTTP_CONTENT_OK : corrupt(error);
}

static enum http_content_result decode_chunk(
		unsigned type, struct slice chunk, struct buf *decoded, struct buf *error)
{
	if (type <= CHUNK_UNCOMPRESSED) {
		return add_data(type, chunk, decoded, error);
	}
	if (type == CHUNK_STREAM && !slice_equal(chunk, SLICE("sNaPpY"))) {
		return corrupt(error);
	}
	return type <= CHUNK_LAST_RESERVED ? unsupported(error) : HTTP_CONTENT_OK;
}

enum http_content_result http_unsnappy(
		struct slice body, size_t limit_bytes, struct buf *decoded, struct buf *error)
{
	size_t bytes = measure(body);
	if (bytes > limit_bytes) {
		return HTTP_CONTENT_E_TOO_LARGE;
	}
	buf_reserve(decoded, bytes + 1); /* nothing has a place, too */
	bool has_begun = false;
	while (body.len > 0) {
		unsigned type;
		struct slice chunk;
		if (!take_chunk(&body, &type, &chunk) || (!has_begun && type != CHUNK_STREAM)) {
			return corrupt(error);
		}
		has_begun = true;
		enum http_content_result result = decode_chunk(type, chunk, decoded, error);
		if (result != HTTP_CONTENT_OK) {
			return result;
		}
	}
	return HTTP_CONTENT_OK;
}
