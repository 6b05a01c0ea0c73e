#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_CAPACITY = 256 };

void buf_init(struct buf *buf, size_t cap_bytes)
{
	*buf = (struct buf){ .cap = cap_bytes };
}

void buf_finish(struct buf *buf)
{
	free(buf->ptr);
	buf_init(buf, buf->cap);
}

void buf_reset(struct buf *buf, size_t keep_bytes)
{
	if (buf->capacity > keep_bytes) {
		buf_finish(buf);
		return;
	}
	buf->len = 0;
	buf->failed = false;
}

bool buf_reserve(struct buf *buf, size_t bytes)
{
	if (buf->failed) {
		return false;
	}
	if (bytes <= buf->capacity - buf->len) {
		return true;
	}
	size_t limit = buf->cap == 0 ? SIZE_MAX / 4 : buf->cap;
	if (bytes > limit || buf->len > limit - bytes) {
		buf->failed = true;
		return false;
	}
	size_t needed = buf->len + bytes;
	size_t capacity = buf->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : buf->capacity;
	while (capacity < needed) {
		capacity *= 2;
	}
	if (capacity > limit) {
		capacity = limit;
	}
	buf->ptr = memory_resize(buf->ptr, capacity);
	buf->capacity = capacity;
	return true;
}

void buf_append(struct buf *buf, struct slice bytes)
{
	if (bytes.len != 0 && buf_reserve(buf, bytes.len)) {
		memcpy(buf->ptr + buf->len, bytes.ptr, bytes.len);
		buf->len += bytes.len;
	}
}

void buf_append_byte(struct buf *buf, char byte)
{
	if (buf_reserve(buf, 1)) {
		buf->ptr[buf->len++] = byte;
	}
}

void buf_append_string(struct buf *buf, const char *string)
{
	buf_append(buf, slice_of_string(string));
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	/* One more byte for the NUL that vsnprintf insists on. */
	if (len > 0 && buf_reserve(buf, (size_t)len + 1)) {
		vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
}

void buf_consume(struct buf *buf, size_t bytes)
{
	buf->len -= bytes;
	memmove(buf->ptr, buf->ptr + bytes, buf->len);
}
