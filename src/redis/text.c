#include "redis/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"

struct redis_text *redis_text_create(size_t len)
{
	struct redis_text *text = memory_alloc(sizeof(*text) + len + 1);
	text->refs = 1;
	text->len = len;
	text->bytes[len] = '\0';
	return text;
}

struct redis_text *redis_text_printf(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *printed = NULL;
	int len = vasprintf(&printed, format, args);
	va_end(args);
	struct redis_text *text = redis_text_create(len < 0 ? 0 : (size_t)len);
	if (len > 0) {
		memcpy(text->bytes, printed, (size_t)len);
	}
	free(printed);
	return text;
}

/* A byte and a number on a line. */
static size_t count_len(size_t count)
{
	size_t digits = 1;
	for (; count >= 10; count /= 10) {
		digits++;
	}
	return 1 + digits + 2;
}

static size_t args_len(const struct slice *args, size_t count)
{
	size_t len = count_len(count);
	for (size_t i = 0; i < count; i++) {
		len += count_len(args[i].len) + args[i].len + 2;
	}
	return len;
}

static char *write_count(char *at, char kind, size_t count)
{
	char digits[NUMBER_TEXT_MAX];
	size_t len = number_format_uint(count, digits);
	*at++ = kind;
	memcpy(at, digits, len);
	at += len;
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

static char *write_args(char *at, const struct slice *args, size_t count)
{
	at = write_count(at, '*', count);
	for (size_t i = 0; i < count; i++) {
		at = write_count(at, '$', args[i].len);
		if (args[i].len > 0) {
			memcpy(at, args[i].ptr, args[i].len);
		}
		at += args[i].len;
		*at++ = '\r';
		*at++ = '\n';
	}
	return at;
}

struct redis_text *redis_text_of_command(
		const struct slice *args, size_t count, unsigned wait_replicas, unsigned wait_ms)
{
	char numbers[2][NUMBER_TEXT_MAX];
	const struct slice wait[] = {
		SLICE("WAIT"),
		slice_make(numbers[0], number_format_uint(wait_replicas, numbers[0])),
		slice_make(numbers[1], number_format_uint(wait_ms, numbers[1])),
	};
	size_t wait_count = sizeof(wait) / sizeof(wait[0]);
	size_t len = args_len(args, count);
	if (wait_replicas > 0) {
		len += args_len(wait, wait_count);
	}
	struct redis_text *text = redis_text_create(len);
	char *end = write_args(text->bytes, args, count);
	if (wait_replicas > 0) {
		write_args(end, wait, wait_count);
	}
	return text;
}

struct redis_text *redis_text_ref(struct redis_text *text)
{
	text->refs++;
	return text;
}

void redis_text_unref(struct redis_text *text)
{
	if (text != NULL && --text->refs == 0) {
		free(text);
	}
}
