#pragma once

/*
 * Memory that cannot be refused: out of memory ends the process here and
 * nowhere else. Every size a client can choose is checked against a limit
 * before it gets this far.
 */

#include <stddef.h>

/* Uninitialised bytes, heap-owned; free with free(). */
void *memory_alloc(size_t bytes);

/* Zeroed bytes for count elements; aborts when the product overflows. */
void *memory_zalloc(size_t count, size_t element_bytes);

/* As realloc(3); a NULL pointer allocates. */
void *memory_resize(void *ptr, size_t bytes);

/* A NUL-terminated copy of a C string. */
char *memory_copy_string(const char *string);
