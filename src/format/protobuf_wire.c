#include "format/protobuf_wire.h"

#include <endian.h>

enum {
	FIELD_NUMBER_MAX = (1 << 29) - 1,
	GROUP_DEPTH_MAX = 100,
};

/* ---- Reading ---- */

enum wire_result wire_read_varint(const char **at, const char *end, uint64_t *ret_number)
{
	const unsigned char *byte = (const unsigned char *)*at;
	size_t left = (size_t)(end - *at);
	uint64_t number = 0;
	if (left > 0 && byte[0] < 0x80) {
		/* Nearly all tags and lengths. */
		*ret_number = byte[0];
		++*at;
		return WIRE_OK;
	}
	for (unsigned i = 0; i < WIRE_VARINT_MAX; i++) {
		if (i == left) {
			return WIRE_E_TRUNCATED;
		}
		number |= (uint64_t)(byte[i] & 0x7f) << (7 * i);
		if (byte[i] < 0x80) {
			if (i == WIRE_VARINT_MAX - 1 && byte[i] > 1) {
				return WIRE_E_OVERFLOW;
			}
			*at += i + 1;
			*ret_number = number;
			return WIRE_OK;
		}
	}
	return WIRE_E_OVERFLOW;
}

static bool read_tag(struct wire_reader *reader, uint32_t *ret_tag)
{
	uint64_t tag;
	if (wire_read_varint(&reader->at, reader->end, &tag) != WIRE_OK) {
		return false;
	}
	*ret_tag = (uint32_t)tag;
	return tag >> 3 >= 1 && tag >> 3 <= FIELD_NUMBER_MAX;
}

static bool read_fixed(struct wire_reader *reader, size_t bytes, uint64_t *ret_number)
{
	uint64_t number = 0;
	if ((size_t)(reader->end - reader->at) < bytes) {
		return false;
	}
	memcpy(&number, reader->at, bytes);
	*ret_number = le64toh(number);
	reader->at += bytes;
	return true;
}

static bool read_bytes(struct wire_reader *reader, struct slice *ret_bytes)
{
	uint64_t len;
	if (wire_read_varint(&reader->at, reader->end, &len) != WIRE_OK
			|| len > (uint64_t)(reader->end - reader->at)) {
		return false;
	}
	*ret_bytes = slice_make(reader->at, (size_t)len);
	reader->at += len;
	return true;
}

/* What follows the tag of a field that is no group. */
static bool read_content(struct wire_reader *reader, struct wire_field *field)
{
	switch (field->tag & 7) {
	case WIRE_VARINT:
		return wire_read_varint(&reader->at, reader->end, &field->number) == WIRE_OK;
	case WIRE_FIXED64:
		return read_fixed(reader, 8, &field->number);
	case WIRE_BYTES:
		return read_bytes(reader, &field->bytes);
	case WIRE_FIXED32:
		return read_fixed(reader, 4, &field->number);
	default:
		return false;
	}
}

/* Behind the end of the group whose tag was read. */
static bool skip_group(struct wire_reader *reader, uint32_t tag)
{
	uint32_t open[GROUP_DEPTH_MAX];
	size_t depth = 0;
	open[depth++] = tag >> 3;
	while (depth > 0) {
		struct wire_field field;
		if (!read_tag(reader, &field.tag)) {
			return false;
		}
		if ((field.tag & 7) == WIRE_GROUP_END) {
			if (open[--depth] != field.tag >> 3) {
				return false;
			}
		} else if ((field.tag & 7) == WIRE_GROUP) {
			if (depth == GROUP_DEPTH_MAX) {
				return false;
			}
			open[depth++] = field.tag >> 3;
		} else if (!read_content(reader, &field)) {
			return false;
		}
	}
	return true;
}

bool wire_next(struct wire_reader *reader, struct wire_field *field)
{
	const char *start = reader->at;
	if (reader->at == reader->end || reader->failed) {
		return false;
	}
	if (!read_tag(reader, &field->tag)
			|| !((field->tag & 7) == WIRE_GROUP ? skip_group(reader, field->tag)
												: read_content(reader, field))) {
		reader->failed = true;
		return false;
	}
	field->whole = slice_between(start, reader->at);
	return true;
}

bool wire_next_varint(struct wire_reader *reader, uint64_t *ret_number)
{
	if (reader->at == reader->end) {
		return false;
	}
	reader->failed = wire_read_varint(&reader->at, reader->end, ret_number) != WIRE_OK;
	return !reader->failed;
}

bool wire_next_double(struct wire_reader *reader, double *ret_number)
{
	uint64_t number;
	if (reader->at == reader->end) {
		return false;
	}
	reader->failed = !read_fixed(reader, 8, &number);
	if (!reader->failed) {
		*ret_number = wire_double(number);
	}
	return !reader->failed;
}

double wire_double(uint64_t number)
{
	double value;
	memcpy(&value, &number, sizeof(value));
	return value;
}

/* ---- Writing ---- */

void wire_put_varint(struct buf *out, uint64_t number)
{
	if (!buf_reserve(out, WIRE_VARINT_MAX)) {
		return;
	}
	char *end = wire_encode_varint(out->ptr + out->len, number);
	out->len = (size_t)(end - out->ptr);
}

void wire_put_uint(struct buf *out, uint32_t field, uint64_t number)
{
	wire_put_varint(out, WIRE_TAG(field, WIRE_VARINT));
	wire_put_varint(out, number);
}

void wire_put_double(struct buf *out, uint32_t field, double number)
{
	char bytes[8];
	uint64_t bits;
	memcpy(&bits, &number, sizeof(bits));
	bits = htole64(bits);
	memcpy(bytes, &bits, sizeof(bytes));
	wire_put_varint(out, WIRE_TAG(field, WIRE_FIXED64));
	buf_append(out, slice_make(bytes, sizeof(bytes)));
}

void wire_put_bytes(struct buf *out, uint32_t field, struct slice bytes)
{
	wire_put_varint(out, WIRE_TAG(field, WIRE_BYTES));
	wire_put_varint(out, bytes.len);
	buf_append(out, bytes);
}

size_t wire_open(struct buf *out, uint32_t field)
{
	wire_put_varint(out, WIRE_TAG(field, WIRE_BYTES));
	buf_append_byte(out, '\0'); /* most messages are shorter than 128 bytes */
	return out->len;
}

void wire_close(struct buf *out, size_t opened)
{
	char bytes[WIRE_VARINT_MAX];
	if (out->failed) {
		return;
	}
	size_t len = out->len - opened;
	size_t length_bytes = (size_t)(wire_encode_varint(bytes, len) - bytes);
	if (length_bytes > 1) {
		if (!buf_reserve(out, length_bytes - 1)) {
			return;
		}
		memmove(out->ptr + opened + length_bytes - 1, out->ptr + opened, len);
		out->len += length_bytes - 1;
	}
	memcpy(out->ptr + opened - 1, bytes, length_bytes);
}
