#pragma once

/*
 * A slice is borrowed text: a pointer and a length, passed by value, never
 * NUL-terminated, valid as long as the buffer it points into.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
	const char *ptr;
	size_t len;
};

/* For printf: printf("job " SLICE_FMT, SLICE_ARG(job)) */
#define SLICE_FMT "%.*s"
#define SLICE_ARG(s) (int)(s).len, (s).ptr

/* A slice of a string literal; SLICE_INIT initialises one in a static table. */
#define SLICE_INIT(literal)                                                                        \
	{                                                                                              \
		.ptr = "" literal, .len = sizeof(literal) - 1                                              \
	}
#define SLICE(literal) ((struct slice){ .ptr = "" literal, .len = sizeof(literal) - 1 })

static inline struct slice slice_make(const char *ptr, size_t len)
{
	return (struct slice){ .ptr = ptr, .len = len };
}

static inline struct slice slice_between(const char *start, const char *end)
{
	return slice_make(start, (size_t)(end - start));
}

static inline struct slice slice_of_string(const char *string)
{
	return slice_make(string, strlen(string));
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

/* Bytewise, the shorter first when one starts the other: <0, 0 or >0. */
static inline int slice_compare(struct slice a, struct slice b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline bool slice_starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool slice_ends_with(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len
			&& (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

static inline struct slice slice_skip(struct slice s, size_t bytes)
{
	return slice_make(s.ptr + bytes, s.len - bytes);
}

static inline struct slice slice_first(struct slice s, size_t bytes)
{
	return slice_make(s.ptr, bytes < s.len ? bytes : s.len);
}

/* The place of the first such byte, or NULL. */
static inline const char *slice_find_byte(struct slice s, char byte)
{
	return s.len == 0 ? NULL : memchr(s.ptr, byte, s.len);
}

/* Without blanks and tabs at both ends. */
static inline struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
		s = slice_skip(s, 1);
	}
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t')) {
		s.len--;
	}
	return s;
}

/* The first line, without its line feed; the rest is what follows it. */
static inline struct slice slice_take_line(struct slice *rest)
{
	const char *feed = slice_find_byte(*rest, '\n');
	struct slice line = feed == NULL ? *rest : slice_between(rest->ptr, feed);
	*rest = slice_skip(*rest, line.len + (feed != NULL));
	return line;
}
