#include "state/sqlite/floor.h"

#include <stdlib.h>

#include "base/memory.h"
#include "state/sqlite/examine.h"
#include "state/sqlite/schema.h"

enum {
	TYPE_INTERIOR = 0x05,
	INTERIOR_HEAD_BYTES = 12,
	DEPTH_MAX = 20,
	FREE_TRUNK_AT = 32, /* in the database's header */
	FREE_COUNT_AT = 36,
};

/* ---- The first leaf of the table ---- */

/* The child with the lowest numbers; *bound is the highest that it may have. 0: none. */
static uint32_t first_child(const struct sqlite_pages *pages, const char *bytes, int64_t *bound)
{
	uint64_t key;
	size_t count = sqlite_pages_u16(bytes + 3);
	size_t start = sqlite_pages_u16(bytes + INTERIOR_HEAD_BYTES);
	if (count == 0) {
		return sqlite_pages_u32(bytes + 8);
	}
	if (start + 4 >= pages->page_bytes
			|| sqlite_leaf_varint(bytes + start + 4, bytes + pages->page_bytes, &key) == NULL) {
		return 0;
	}
	*bound = (int64_t)key < *bound ? (int64_t)key : *bound;
	return sqlite_pages_u32(bytes + start);
}

/* 0: the way there is damaged. */
static int64_t by_first_leaf(const struct sqlite_pages *pages, char *bytes)
{
	int64_t bound = INT64_MAX;
	uint32_t number = SQLITE_SCHEMA_SEGMENT_ROOT;
	for (int depth = 0; depth < DEPTH_MAX && sqlite_pages_read(pages, number, bytes); depth++) {
		if (bytes[0] == TYPE_INTERIOR) {
			number = first_child(pages, bytes, &bound);
			continue;
		}
		struct sqlite_leaf leaf = sqlite_leaf_of(pages, number, bytes);
		struct sqlite_row row;
		struct buf buffer;
		buf_init(&buffer, 0);
		bool is_first = leaf.kind == SQLITE_LEAF_ROWS && sqlite_leaf_read(&leaf, 0, &buffer, &row)
				&& sqlite_is_right_segment(&row) && row.id <= bound;
		buf_finish(&buffer);
		return is_first ? row.id : 0;
	}
	return 0;
}

/* ---- Pages that are free ---- */

struct free_pages {
	uint8_t *is_free; /* by the page's number */
	uint32_t count;
	const struct sqlite_pages *pages;
};

/* False: it cannot be, or not twice. */
static bool add_free(struct free_pages *free_pages, uint32_t number)
{
	if (number < 2 || number > free_pages->pages->count || free_pages->is_free[number]) {
		return false;
	}
	free_pages->is_free[number] = 1;
	free_pages->count++;
	return true;
}

static bool add_trunk(struct free_pages *free_pages, const char *bytes)
{
	uint32_t count = sqlite_pages_u32(bytes + 4);
	bool is_good = count <= free_pages->pages->page_bytes / 4 - 2;
	for (uint32_t i = 0; i < count && is_good; i++) {
		is_good = add_free(free_pages, sqlite_pages_u32(bytes + 8 + i * 4));
	}
	return is_good;
}

/* False: they are not as many as they should be. */
static bool find_free(struct free_pages *free_pages, char *bytes)
{
	const struct sqlite_pages *pages = free_pages->pages;
	if (!sqlite_pages_read(pages, 1, bytes) || !sqlite_pages_has_magic(bytes)) {
		return false;
	}
	uint32_t wanted = sqlite_pages_u32(bytes + FREE_COUNT_AT);
	uint32_t trunk = sqlite_pages_u32(bytes + FREE_TRUNK_AT);
	while (trunk != 0) {
		if (!add_free(free_pages, trunk) || !sqlite_pages_read(pages, trunk, bytes)
				|| !add_trunk(free_pages, bytes)) {
			return false;
		}
		trunk = sqlite_pages_u32(bytes);
	}
	return free_pages->count == wanted;
}

/* The lowest on a page that is not free; 0: there is none. */
static int64_t lowest_in_use(const struct free_pages *free_pages, char *bytes)
{
	int64_t lowest = INT64_MAX;
	struct buf buffer;
	buf_init(&buffer, 0);
	for (uint32_t number = 1; number <= free_pages->pages->count; number++) {
		if (free_pages->is_free[number] || !sqlite_pages_read(free_pages->pages, number, bytes)) {
			continue;
		}
		struct sqlite_leaf leaf = sqlite_leaf_of(free_pages->pages, number, bytes);
		struct sqlite_row row;
		for (size_t i = 0; leaf.kind == SQLITE_LEAF_ROWS && i < leaf.count; i++) {
			bool is_lower = sqlite_leaf_read(&leaf, i, &buffer, &row) && row.id < lowest
					&& sqlite_is_right_segment(&row);
			lowest = is_lower ? row.id : lowest;
		}
	}
	buf_finish(&buffer);
	return lowest == INT64_MAX ? 0 : lowest;
}

static int64_t by_free_pages(const struct sqlite_pages *pages, char *bytes)
{
	struct free_pages free_pages = { .pages = pages };
	free_pages.is_free = memory_zalloc((size_t)pages->count + 1, 1);
	int64_t floor = find_free(&free_pages, bytes) ? lowest_in_use(&free_pages, bytes) : 0;
	free(free_pages.is_free);
	return floor;
}

int64_t sqlite_floor_find(const struct sqlite_pages *pages)
{
	char *bytes = memory_alloc(pages->page_bytes);
	int64_t floor = by_first_leaf(pages, bytes);
	if (floor == 0) {
		floor = by_free_pages(pages, bytes);
	}
	free(bytes);
	return floor;
}
