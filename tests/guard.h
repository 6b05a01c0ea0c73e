#pragma once

/*
 * A page that may not be touched, right behind the bytes a parser is given:
 * reading one byte too many ends the test, without any sanitizer.
 */

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/slice.h"

struct guard {
	char *pages;
	size_t readable; /* bytes before the guard page */
};

static inline void guard_init(struct guard *guard, size_t max_bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	guard->readable = (max_bytes + page) / page * page;
	guard->pages = mmap(NULL, guard->readable + page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(guard->pages != MAP_FAILED);
	int status = mprotect(guard->pages + guard->readable, page, PROT_NONE);
	assert(status == 0);
}

static inline void guard_finish(struct guard *guard)
{
	munmap(guard->pages, guard->readable + (size_t)sysconf(_SC_PAGESIZE));
}

/* A copy that ends where the guard page begins; good until the next one. */
static inline struct slice guard_copy(struct guard *guard, struct slice bytes)
{
	assert(bytes.len <= guard->readable);
	char *copy = guard->pages + guard->readable - bytes.len;
	if (bytes.len != 0) {
		memcpy(copy, bytes.ptr, bytes.len);
	}
	return slice_make(copy, bytes.len);
}
