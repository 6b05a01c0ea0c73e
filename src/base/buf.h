#pragma once

/*
 * A buf owns bytes and grows. Appending is sticky: an append past the cap
 * changes nothing, sets `failed`, and every later append does nothing either,
 * so a writer appends freely and checks once.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct buf {
	char *ptr;
	size_t len;
	size_t capacity;
	size_t cap;  /* most bytes it may ever hold; 0 = no limit */
	bool failed; /* an append did not fit */
};

/* cap_bytes = 0: no limit. Allocates nothing yet. */
void buf_init(struct buf *buf, size_t cap_bytes);
void buf_finish(struct buf *buf);

/* Empty again and no longer failed; memory above keep_bytes is given back. */
void buf_reset(struct buf *buf, size_t keep_bytes);

/* Room for that many more bytes at ptr + len; false when over the cap. */
bool buf_reserve(struct buf *buf, size_t bytes);

void buf_append(struct buf *buf, struct slice bytes);
void buf_append_byte(struct buf *buf, char byte);
void buf_append_string(struct buf *buf, const char *string);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
		__attribute__((format(printf, 2, 0)));

/* Drops that many bytes from the front. */
void buf_consume(struct buf *buf, size_t bytes);

static inline struct slice buf_slice(const struct buf *buf)
{
	return slice_make(buf->ptr, buf->len);
}
