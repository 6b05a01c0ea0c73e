#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
	FIRST_BLOCK_BYTES = 16 * 1024,
	LAST_BLOCK_BYTES = 1024 * 1024, /* blocks double up to here */
	KEPT_BYTES_MAX = 256 * 1024,    /* over a reset */
};

#if defined(__SANITIZE_ADDRESS__)
enum { KEEPS_A_BLOCK = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { KEEPS_A_BLOCK = 0 };
#else
enum { KEEPS_A_BLOCK = 1 };
#endif
#else
enum { KEEPS_A_BLOCK = 1 };
#endif

struct arena_block {
	struct arena_block *older;
	size_t bytes;
	alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){ 0 };
}

static void add_block(struct arena *arena, size_t bytes)
{
	struct arena_block *block = memory_alloc(sizeof(*block) + bytes);
	block->older = arena->blocks;
	block->bytes = bytes;
	arena->blocks = block;
	arena->next = block->data;
	arena->left = bytes;
}

void arena_init_sized(struct arena *arena, size_t bytes)
{
	arena_init(arena);
	add_block(arena, bytes);
}

static void free_blocks(struct arena_block *block)
{
	while (block != NULL) {
		struct arena_block *older = block->older;
		free(block);
		block = older;
	}
}

void arena_finish(struct arena *arena)
{
	free_blocks(arena->blocks);
	arena_init(arena);
}

/* Takes the largest block of moderate size out of the list; NULL: there is none. */
static struct arena_block *take_block_to_keep(struct arena *arena)
{
	struct arena_block **best = NULL;
	for (struct arena_block **link = &arena->blocks; *link != NULL; link = &(*link)->older) {
		bool fits = (*link)->bytes <= KEPT_BYTES_MAX;
		if (fits && (best == NULL || (*link)->bytes > (*best)->bytes)) {
			best = link;
		}
	}
	if (best == NULL) {
		return NULL;
	}
	struct arena_block *kept = *best;
	*best = kept->older;
	kept->older = NULL;
	return kept;
}

void arena_reset(struct arena *arena)
{
	struct arena_block *kept = KEEPS_A_BLOCK ? take_block_to_keep(arena) : NULL;
	free_blocks(arena->blocks);
	arena_init(arena);
	if (kept != NULL) {
		arena->blocks = kept;
		arena->next = kept->data;
		arena->left = kept->bytes;
	}
}

static void grow(struct arena *arena, size_t at_least)
{
	size_t bytes = FIRST_BLOCK_BYTES;
	if (arena->blocks != NULL) {
		bytes = arena->blocks->bytes * 2;
	}
	if (bytes > LAST_BLOCK_BYTES) {
		bytes = LAST_BLOCK_BYTES;
	}
	if (bytes < at_least) {
		bytes = at_least;
	}
	add_block(arena, bytes);
}

char *arena_text(struct arena *arena, size_t bytes)
{
	if (arena->next == NULL || bytes > arena->left) {
		grow(arena, bytes);
	}
	char *text = arena->next;
	arena->next += bytes;
	arena->left -= bytes;
	arena->used_bytes += bytes;
	return text;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	size_t padding = -(uintptr_t)arena->next % alignof(max_align_t);
	if (arena->next == NULL || padding + bytes > arena->left) {
		grow(arena, bytes);
		padding = 0;
	}
	return arena_text(arena, padding + bytes) + padding;
}

void *arena_zalloc(struct arena *arena, size_t count, size_t element_bytes)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, element_bytes, &bytes)) {
		fprintf(stderr, "weir: an array of %zu elements cannot be\n", count);
		abort();
	}
	void *ptr = arena_alloc(arena, bytes);
	return memset(ptr, 0, bytes);
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
	char *copy = arena_text(arena, bytes.len);
	if (bytes.len != 0) {
		memcpy(copy, bytes.ptr, bytes.len);
	}
	return slice_make(copy, bytes.len);
}

char *arena_copy_string(struct arena *arena, struct slice bytes)
{
	char *copy = arena_text(arena, bytes.len + 1);
	if (bytes.len != 0) {
		memcpy(copy, bytes.ptr, bytes.len);
	}
	copy[bytes.len] = '\0';
	return copy;
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len <= 0) {
		return slice_make("", 0);
	}
	char *text = arena_text(arena, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return slice_make(text, (size_t)len);
}

struct slice arena_join(struct arena *arena, const struct slice *parts, size_t count)
{
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		bytes += parts[i].len;
	}
	char *text = arena_text(arena, bytes);
	char *out = text;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len > 0) {
			memcpy(out, parts[i].ptr, parts[i].len);
			out += parts[i].len;
		}
	}
	return slice_make(text, bytes);
}

void *arena_grow(struct arena *arena, void *old, size_t old_bytes, size_t new_bytes)
{
	void *larger = arena_alloc(arena, new_bytes);
	if (old_bytes != 0) {
		memcpy(larger, old, old_bytes);
	}
	return larger;
}
