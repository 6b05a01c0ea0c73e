#pragma once

/*
 * Memory that dies together, such as everything one exchange needs: allocate
 * freely, free nothing, reset once.
 *
 * Ordinary builds keep one block of moderate size across resets. Sanitizer
 * builds free all, so that a pointer kept too long is a use-after-free that shows.
 */

#include <stdarg.h>
#include <stddef.h>

#include "base/slice.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	char *next;
	size_t left;
	size_t used_bytes; /* handed out since the last reset */
};

void arena_init(struct arena *arena);

/* For one of many that wait with little in them: it begins with a block of that size. */
void arena_init_sized(struct arena *arena, size_t bytes);

void arena_finish(struct arena *arena);
void arena_reset(struct arena *arena);

/* Uninitialised, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* Zeroed; aborts when the product overflows. */
void *arena_zalloc(struct arena *arena, size_t count, size_t element_bytes);

/* Bytes for text, unaligned. */
char *arena_text(struct arena *arena, size_t bytes);

struct slice arena_copy(struct arena *arena, struct slice bytes);
char *arena_copy_string(struct arena *arena, struct slice bytes);
struct slice arena_printf(struct arena *arena, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/*
 * The slices one behind the other. Unlike arena_printf() it does not end at a
 * NUL, which text that clients chose may have.
 */
#define ARENA_JOIN(arena, ...)                                                                     \
	arena_join((arena), (const struct slice[]){ __VA_ARGS__ },                                     \
			sizeof((const struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice))
struct slice arena_join(struct arena *arena, const struct slice *parts, size_t count);

/*
 * A larger copy of an array, for arrays that grow by doubling. The old one
 * stays until the reset.
 */
void *arena_grow(struct arena *arena, void *old, size_t old_bytes, size_t new_bytes);
