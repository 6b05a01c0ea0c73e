#include "http/chunks.h"

#include "http/chars.h"

/* Of extensions, trailers and leading zeros; more than any honest sender needs; Go allows 4 KB a
 * line and 1 MB of trailers. */
enum { OVERHEAD_BYTES_MAX = 64 * 1024 };

/* Chunk lengths up to here have room for one more digit. */
static const uint64_t LENGTH_MAX = UINT64_MAX >> 8;

static bool may_stand_in_line(char byte)
{
	return !http_is_control((unsigned char)byte);
}

/* To the next state when the byte is the expected one. */
static enum http_chunks_result expect(
		struct http_chunks *chunks, bool fits, enum http_chunks_state next)
{
	if (!fits) {
		return HTTP_CHUNKS_E_SYNTAX;
	}
	chunks->state = next;
	return HTTP_CHUNKS_MORE;
}

static enum http_chunks_result step_length(struct http_chunks *chunks, char byte)
{
	int digit = http_hex_digit(byte);
	if (digit == 0 && chunks->left == 0) {
		chunks->overhead_bytes++;
	}
	if (digit >= 0 && chunks->left <= LENGTH_MAX) {
		chunks->left = chunks->left * 16 + (uint64_t)digit;
		chunks->state = CHUNK_LENGTH;
		return HTTP_CHUNKS_MORE;
	}
	if (digit >= 0 || chunks->state == CHUNK_LENGTH_START) {
		return HTTP_CHUNKS_E_LENGTH;
	}
	switch (byte) {
	case '\r':
		chunks->state = CHUNK_LENGTH_CR;
		return HTTP_CHUNKS_MORE;
	case ';':
		chunks->state = CHUNK_EXTENSION;
		return HTTP_CHUNKS_MORE;
	case ' ':
	case '\t':
		chunks->state = CHUNK_BLANKS;
		return HTTP_CHUNKS_MORE;
	default:
		return HTTP_CHUNKS_E_LENGTH;
	}
}

static enum http_chunks_result step_extension(struct http_chunks *chunks, char byte)
{
	chunks->overhead_bytes++;
	if (byte == '\r') {
		return expect(chunks, true, CHUNK_LENGTH_CR);
	}
	if (chunks->state == CHUNK_BLANKS && byte != ' ' && byte != '\t') {
		return expect(chunks, byte == ';', CHUNK_EXTENSION);
	}
	return expect(chunks, may_stand_in_line(byte), chunks->state);
}

static enum http_chunks_result step_trailer(struct http_chunks *chunks, char byte)
{
	chunks->overhead_bytes++;
	if (chunks->state == TRAILER_VALUE) {
		bool ends = byte == '\r';
		return expect(chunks, ends || may_stand_in_line(byte), ends ? TRAILER_CR : TRAILER_VALUE);
	}
	if (chunks->state == TRAILER_START && byte == '\r') {
		return expect(chunks, true, TRAILER_END_CR);
	}
	if (chunks->state == TRAILER_NAME && byte == ':') {
		return expect(chunks, true, TRAILER_VALUE);
	}
	return expect(chunks, http_is_token(slice_make(&byte, 1)), TRAILER_NAME);
}

/* One byte of what is not data. */
static enum http_chunks_result step(struct http_chunks *chunks, char byte)
{
	switch (chunks->state) {
	case CHUNK_LENGTH_START:
	case CHUNK_LENGTH:
		return step_length(chunks, byte);
	case CHUNK_BLANKS:
	case CHUNK_EXTENSION:
		return step_extension(chunks, byte);
	case CHUNK_LENGTH_CR:
		return expect(chunks, byte == '\n', chunks->left == 0 ? TRAILER_START : CHUNK_DATA);
	case CHUNK_DATA_END:
		return expect(chunks, byte == '\r', CHUNK_DATA_CR);
	case CHUNK_DATA_CR:
		return expect(chunks, byte == '\n', CHUNK_LENGTH_START);
	case TRAILER_START:
	case TRAILER_NAME:
	case TRAILER_VALUE:
		return step_trailer(chunks, byte);
	case TRAILER_CR:
		return expect(chunks, byte == '\n', TRAILER_START);
	case TRAILER_END_CR:
		return byte == '\n' ? HTTP_CHUNKS_END : HTTP_CHUNKS_E_SYNTAX;
	case CHUNK_DATA:
		break;
	}
	return HTTP_CHUNKS_E_SYNTAX;
}

static struct slice take_data(struct http_chunks *chunks, struct slice bytes)
{
	struct slice data = bytes.len < chunks->left ? bytes : slice_first(bytes, chunks->left);
	chunks->left -= data.len;
	if (chunks->left == 0) {
		chunks->state = CHUNK_DATA_END;
	}
	return data;
}

enum http_chunks_result http_chunks_feed(
		struct http_chunks *chunks, struct slice bytes, size_t *ret_used, struct slice *ret_data)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (chunks->state == CHUNK_DATA) {
			*ret_data = take_data(chunks, slice_skip(bytes, i));
			*ret_used = i + ret_data->len;
			return HTTP_CHUNKS_DATA;
		}
		enum http_chunks_result result = step(chunks, bytes.ptr[i]);
		if (result == HTTP_CHUNKS_END) {
			*ret_used = i + 1;
			return result;
		}
		if (chunks->overhead_bytes > OVERHEAD_BYTES_MAX) {
			return HTTP_CHUNKS_E_SYNTAX;
		}
		if (result != HTTP_CHUNKS_MORE) {
			return result;
		}
	}
	*ret_used = bytes.len;
	return HTTP_CHUNKS_MORE;
}
