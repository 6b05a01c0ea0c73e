#pragma once

/*
 * Messages of protobuf as text, for tables of cases:
 *
 *     1:"name" 3:1 4:{1:{1:"a" 2:"b"} 2:{1:0.5}}
 *
 * Behind the number of a field: text in quotes, with \xff for a byte; a message
 * in braces; a double, which has a point, or is inf, -inf or nan; a varint;
 * ~-1, a zigzag varint; %7, 32 bits; <...>, a group; [...], packed numbers of
 * one of these kinds. A '|' ends a family: each is put behind its length.
 */

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "format/protobuf_wire.h"

static inline const char *protobuf_text_message(struct buf *out, const char *at, char end);

static inline const char *protobuf_text_string(struct buf *out, uint32_t field, const char *at)
{
	struct buf text;
	buf_init(&text, 0);
	for (; *at != '"'; at++) {
		assert(*at != '\0');
		if (at[0] == '\\' && at[1] == 'x') {
			char digits[] = { at[2], at[3], '\0' };
			buf_append_byte(&text, (char)strtoul(digits, NULL, 16));
			at += 3;
		} else {
			buf_append_byte(&text, *at);
		}
	}
	wire_put_bytes(out, field, buf_slice(&text));
	buf_finish(&text);
	return at + 1;
}

static inline void protobuf_text_fixed(struct buf *out, const void *bits, size_t bytes)
{
	buf_append(out, slice_make(bits, bytes));
}

static inline const char *protobuf_text_number(struct buf *out, uint32_t field, const char *at)
{
	size_t len = strcspn(at, " }>]|");
	char word[64] = "";
	char *end;
	assert(len > 0 && len < sizeof(word));
	memcpy(word, at, len);
	bool is_packed = field == 0;
	if (strpbrk(word, ".n") != NULL) {
		double number = strtod(word, &end);
		if (!is_packed) {
			wire_put_varint(out, WIRE_TAG(field, WIRE_FIXED64));
		}
		protobuf_text_fixed(out, &number, sizeof(number));
	} else if (word[0] == '%') {
		uint32_t number = (uint32_t)strtoul(word + 1, &end, 0);
		wire_put_varint(out, WIRE_TAG(field, WIRE_FIXED32));
		protobuf_text_fixed(out, &number, sizeof(number));
	} else {
		int64_t number = word[0] == '~' ? strtoll(word + 1, &end, 0)
				: word[0] == '-'        ? strtoll(word, &end, 0)
										: (int64_t)strtoull(word, &end, 0);
		uint64_t bits = word[0] == '~' ? (uint64_t)number << 1 ^ (uint64_t)(number >> 63)
									   : (uint64_t)number;
		if (!is_packed) {
			wire_put_varint(out, WIRE_TAG(field, WIRE_VARINT));
		}
		wire_put_varint(out, bits);
	}
	assert(*end == '\0');
	return at + len;
}

static inline const char *protobuf_text_packed(struct buf *out, uint32_t field, const char *at)
{
	size_t opened = wire_open(out, field);
	while (*at != ']') {
		at = protobuf_text_number(out, 0, at);
		at += *at == ' ';
	}
	wire_close(out, opened);
	return at + 1;
}

static inline const char *protobuf_text_field(struct buf *out, const char *at)
{
	char *colon;
	uint32_t field = (uint32_t)strtoul(at, &colon, 10);
	assert(*colon == ':');
	at = colon + 2;
	size_t opened;
	switch (colon[1]) {
	case '"':
		return protobuf_text_string(out, field, at);
	case '{':
		opened = wire_open(out, field);
		at = protobuf_text_message(out, at, '}');
		wire_close(out, opened);
		return at;
	case '<':
		wire_put_varint(out, WIRE_TAG(field, WIRE_GROUP));
		at = protobuf_text_message(out, at, '>');
		wire_put_varint(out, WIRE_TAG(field, WIRE_GROUP_END));
		return at;
	case '[':
		return protobuf_text_packed(out, field, at);
	default:
		return protobuf_text_number(out, field, at - 1);
	}
}

static inline const char *protobuf_text_message(struct buf *out, const char *at, char end)
{
	while (*at != end && *at != '\0' && *at != '|') {
		at = protobuf_text_field(out, at);
		at += *at == ' ';
	}
	assert(end == '\0' || *at == end);
	return at + (end != '\0');
}

/* The body in the arena: its families, each behind its length. */
static inline struct slice protobuf_text_body(struct arena *arena, const char *text)
{
	struct buf out;
	buf_init(&out, 0);
	while (*text != '\0') {
		struct buf message;
		buf_init(&message, 0);
		text = protobuf_text_message(&message, text, '\0');
		text += *text == '|';
		text += *text == ' ';
		wire_put_varint(&out, message.len);
		buf_append(&out, buf_slice(&message));
		buf_finish(&message);
	}
	struct slice copy = out.len == 0 ? SLICE("") : arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}
