#include "server/takeover_frame.h"

static const char *const names[TAKEOVER_TYPE_COUNT] = {
	[TAKEOVER_HELLO] = "HELLO",
	[TAKEOVER_OFFER] = "OFFER",
	[TAKEOVER_LISTENER] = "LISTENER",
	[TAKEOVER_READY] = "READY",
	[TAKEOVER_STATE] = "STATE",
	[TAKEOVER_CONNECTIONS] = "CONNECTIONS",
	[TAKEOVER_TAKEN] = "TAKEN",
	[TAKEOVER_BYE] = "BYE",
	[TAKEOVER_REFUSAL] = "REFUSAL",
};

const char *takeover_frame_name(enum takeover_frame_type type)
{
	return names[type];
}

enum takeover_frame_result takeover_frame_parse(
		struct slice bytes, struct takeover_frame *ret_frame, size_t *ret_used)
{
	if (bytes.len < TAKEOVER_HEADER_BYTES) {
		return TAKEOVER_FRAME_MORE;
	}
	struct takeover_reader reader = { .rest = slice_skip(bytes, 4) };
	unsigned type = (unsigned char)bytes.ptr[0];
	size_t file_count = (unsigned char)bytes.ptr[1];
	size_t length = takeover_get_u32(&reader);
	bool is_known = type >= TAKEOVER_HELLO && type < TAKEOVER_TYPE_COUNT && bytes.ptr[2] == 0
			&& bytes.ptr[3] == 0;
	if (!is_known || file_count > TAKEOVER_FILES_MAX || length > TAKEOVER_PAYLOAD_BYTES_MAX) {
		return TAKEOVER_FRAME_E_BAD;
	}
	if (reader.rest.len < length) {
		return TAKEOVER_FRAME_MORE;
	}
	*ret_frame = (struct takeover_frame){
		.type = (enum takeover_frame_type)type,
		.file_count = file_count,
		.payload = slice_first(reader.rest, length),
	};
	*ret_used = TAKEOVER_HEADER_BYTES + length;
	return TAKEOVER_FRAME_OK;
}

void takeover_frame_write(struct buf *out, const struct takeover_frame *frame)
{
	buf_append_byte(out, (char)frame->type);
	buf_append_byte(out, (char)frame->file_count);
	buf_append(out, slice_make("\0\0", 2));
	takeover_put_text(out, frame->payload);
}

/* ---- Payloads ---- */

static void put_number(struct buf *out, uint64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		buf_append_byte(out, (char)(unsigned char)(number >> (8 * i)));
	}
}

void takeover_put_u32(struct buf *out, uint32_t number)
{
	put_number(out, number, 4);
}

void takeover_put_u64(struct buf *out, uint64_t number)
{
	put_number(out, number, 8);
}

void takeover_put_text(struct buf *out, struct slice text)
{
	takeover_put_u32(out, (uint32_t)text.len);
	buf_append(out, text);
}

static struct slice take(struct takeover_reader *reader, size_t bytes)
{
	if (reader->failed || reader->rest.len < bytes) {
		reader->failed = true;
		return slice_make(NULL, 0);
	}
	struct slice taken = slice_first(reader->rest, bytes);
	reader->rest = slice_skip(reader->rest, bytes);
	return taken;
}

static uint64_t get_number(struct takeover_reader *reader, size_t bytes)
{
	struct slice taken = take(reader, bytes);
	uint64_t number = 0;
	for (size_t i = 0; i < taken.len; i++) {
		number |= (uint64_t)(unsigned char)taken.ptr[i] << (8 * i);
	}
	return number;
}

uint32_t takeover_get_u32(struct takeover_reader *reader)
{
	return (uint32_t)get_number(reader, 4);
}

uint64_t takeover_get_u64(struct takeover_reader *reader)
{
	return get_number(reader, 8);
}

struct slice takeover_get_text(struct takeover_reader *reader)
{
	size_t length = takeover_get_u32(reader);
	return take(reader, length);
}
