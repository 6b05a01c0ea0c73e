#pragma once

/*
 * The wire format of protocol buffers: fields behind tags, read one by one out
 * of the bytes of a message and written at the end of a buffer. Nothing here
 * knows what a field means.
 *
 * https://protobuf.dev/programming-guides/encoding/
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2, /* text, messages, packed numbers */
	WIRE_GROUP = 3,
	WIRE_GROUP_END = 4,
	WIRE_FIXED32 = 5,
};

/* What a field is known by. One of another type than expected is unknown. */
#define WIRE_TAG(number, type) ((uint32_t)(number) << 3 | (uint32_t)(type))

enum wire_result {
	WIRE_OK,
	WIRE_E_TRUNCATED,
	WIRE_E_OVERFLOW, /* a number of more than 64 bits */
};

/* A message, or what is left of it. */
struct wire_reader {
	const char *at; /* on failure in the field that is at fault */
	const char *end;
	bool failed;
};

struct wire_field {
	uint32_t tag;
	uint64_t number;    /* only of a varint or a fixed field: as it lies on the wire */
	struct slice bytes; /* only of WIRE_BYTES */
	struct slice whole; /* the field, tag included */
};

static inline struct wire_reader wire_reader_of(struct slice message)
{
	const char *end = message.len == 0 ? message.ptr : message.ptr + message.len;
	return (struct wire_reader){ .at = message.ptr, .end = end };
}

/* *at moves behind the number; on failure it stays. */
enum wire_result wire_read_varint(const char **at, const char *end, uint64_t *ret_number);

/*
 * Fills in the next field; false at the end of the message and when it is
 * broken, which `failed` then says. A group is skipped as a whole; it comes with
 * its tag only.
 */
bool wire_next(struct wire_reader *reader, struct wire_field *field);

/* The next of packed numbers; as wire_next(). */
bool wire_next_varint(struct wire_reader *reader, uint64_t *ret_number);
bool wire_next_double(struct wire_reader *reader, double *ret_number);

double wire_double(uint64_t number);

/* int32 is written as int64: what is above its 32 bits is cut off. */
static inline int32_t wire_int32(uint64_t number)
{
	return (int32_t)(uint32_t)number;
}

/* sint32 and sint64: 0, -1, 1, -2 are written as 0, 1, 2, 3 */
static inline int64_t wire_sint64(uint64_t number)
{
	return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

static inline int32_t wire_sint32(uint64_t number)
{
	return (int32_t)wire_sint64(number & UINT32_MAX);
}

/* Bytes that a number takes at most. */
enum { WIRE_VARINT_MAX = 10 };

/* Writes the number there; returns what is behind it. */
static inline char *wire_encode_varint(char *at, uint64_t number)
{
	while (number >= 0x80) {
		*at++ = (char)(number | 0x80);
		number >>= 7;
	}
	*at++ = (char)number;
	return at;
}

void wire_put_varint(struct buf *out, uint64_t number);
void wire_put_uint(struct buf *out, uint32_t field, uint64_t number);
void wire_put_double(struct buf *out, uint32_t field, double number);
void wire_put_bytes(struct buf *out, uint32_t field, struct slice bytes);

/*
 * A message inside the one being written: what is appended in between is its
 * content. Its length is put in front when it is closed, so nothing is built
 * elsewhere first.
 */
size_t wire_open(struct buf *out, uint32_t field);
void wire_close(struct buf *out, size_t opened);
