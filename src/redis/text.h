#pragma once

/*
 * Bytes with several owners: the text of a command, which is written and may have to be
 * sent again elsewhere, or the reason for which many commands fail.
 */

#include <stddef.h>

#include "base/slice.h"

struct redis_text {
	unsigned refs;
	size_t len;
	char bytes[]; /* and a NUL */
};

/* With one reference, the caller's; the bytes are to be filled in. */
struct redis_text *redis_text_create(size_t len);

struct redis_text *redis_text_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A command as it is sent, followed by WAIT when replicas are to be waited for. */
struct redis_text *redis_text_of_command(
		const struct slice *args, size_t count, unsigned wait_replicas, unsigned wait_ms);

struct redis_text *redis_text_ref(struct redis_text *text);

/* NULL is none. */
void redis_text_unref(struct redis_text *text);
