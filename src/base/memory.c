#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *ptr, size_t bytes)
{
	if (ptr == NULL && bytes != 0) {
		fprintf(stderr, "weir: out of memory allocating %zu bytes\n", bytes);
		abort();
	}
	return ptr;
}

void *memory_alloc(size_t bytes)
{
	return checked(malloc(bytes), bytes);
}

void *memory_zalloc(size_t count, size_t element_bytes)
{
	return checked(calloc(count, element_bytes), count * element_bytes);
}

void *memory_resize(void *ptr, size_t bytes)
{
	return checked(realloc(ptr, bytes), bytes);
}

char *memory_copy_string(const char *string)
{
	size_t bytes = strlen(string) + 1;
	return memcpy(memory_alloc(bytes), string, bytes);
}
