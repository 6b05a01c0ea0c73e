#include "store/page.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

enum {
	REFER_BYTES = 4 * 1024, /* from this size on text is referred to, not copied */
	PREFETCH_SLOTS = 8,
	TIME_LINE_MAX = 128, /* bytes of a push time's line beside its labels */
};

/* A buffer outlives its page, so that each scrape does not fault in new memory. */
static char *spare_buffer;

bool page_init(struct page *page, struct store *store, const struct slice *own_lines)
{
	*page = (struct page){ .own_lines = own_lines, .declarations = store->declarations };
	if (!snapshot_open(&page->snapshot, store)) {
		return false;
	}
	page->family = &store->contents->families.in_order;
	page->buffer = spare_buffer != NULL ? spare_buffer : memory_alloc(PAGE_PIECE_BYTES);
	spare_buffer = NULL;
	buf_init(&page->help, 0);
	return true;
}

void page_finish(struct page *page)
{
	snapshot_close(&page->snapshot);
	buf_finish(&page->help);
	free(spare_buffer);
	spare_buffer = page->buffer;
}

void page_release_spare(void)
{
	free(spare_buffer);
	spare_buffer = NULL;
}

/* ---- The piece ---- */

static void end_part(struct page *page)
{
	if (page->used > page->part_start) {
		page->parts[page->part_count++] =
				slice_make(page->buffer + page->part_start, page->used - page->part_start);
		page->part_start = page->used;
	}
}

static bool has_room(const struct page *page, size_t bytes)
{
	return page->used + bytes <= PAGE_PIECE_BYTES && page->piece_bytes < PAGE_PIECE_BYTES
			&& !page->is_full;
}

static void put(struct page *page, struct slice text)
{
	memcpy(page->buffer + page->used, text.ptr, text.len);
	page->used += text.len;
	page->piece_bytes += text.len;
}

/* Copied or referred to; false when it has to wait for the next piece. */
static bool add(struct page *page, struct slice text)
{
	if (text.len == 0) {
		return true;
	}
	if (text.len < REFER_BYTES) {
		if (!has_room(page, text.len)) {
			return false;
		}
		put(page, text);
		return true;
	}
	/* One place is needed for what was copied before, one for what comes after. */
	if (page->part_count + 3 > PAGE_PARTS_MAX || page->piece_bytes >= PAGE_PIECE_BYTES) {
		return false;
	}
	end_part(page);
	page->parts[page->part_count++] = text;
	page->piece_bytes += text.len;
	return true;
}

/* ---- Families ---- */

static struct family *current_family(const struct page *page)
{
	return LIST_ENTRY(page->family, struct family, in_order);
}

static struct slice own_lines_of(const struct page *page, const struct family *family)
{
	if (family->declaration == NULL || page->own_lines == NULL) {
		return slice_make(NULL, 0);
	}
	return page->own_lines[family->declaration - page->declarations];
}

static const struct block *visible_block(
		const struct page *page, const struct family *family, uint32_t number)
{
	struct slot slot =
			snapshot_slot(&page->snapshot, HISTORY_BLOCK, slots_at(&family->slots, number));
	return slot_is_exposed(slot) ? slot_content(slot) : NULL;
}

static const struct block *first_visible_block(struct page *page, const struct family *family)
{
	for (; page->next < family->slots.len; page->next++) {
		const struct block *block = visible_block(page, family, page->next);
		if (block != NULL) {
			return block;
		}
	}
	return NULL;
}

static bool has_times(const struct family *family)
{
	return family->declaration != NULL
			&& (family->declaration->source == DECLARATION_PUSH_TIMES
					|| family->declaration->source == DECLARATION_FAILURE_TIMES);
}

static const struct group *visible_group(const struct page *page, uint32_t number)
{
	struct slot slot = snapshot_slot(&page->snapshot, HISTORY_GROUP,
			slots_at(&page->snapshot.contents->group_slots, number));
	return slot_is_exposed(slot) ? slot_content(slot) : NULL;
}

static const struct group *first_visible_group(struct page *page)
{
	for (; page->next < page->snapshot.contents->group_slots.len; page->next++) {
		const struct group *group = visible_group(page, page->next);
		if (group != NULL) {
			return group;
		}
	}
	return NULL;
}

/* # HELP name text, # TYPE name type */
static void render_header(struct page *page, struct family *family, const struct block *block)
{
	const struct family_declaration *declaration = family->declaration;
	bool is_settled = declaration != NULL && declaration->source != DECLARATION_NOTHING;
	struct slice help = is_settled ? declaration->help : family_help(family);
	enum metric_type type = is_settled ? declaration->type : (enum metric_type)block->type;
	struct buf *out = &page->help;
	out->len = 0;
	if (help.ptr != NULL) {
		buf_append(out, SLICE("# HELP "));
		buf_append(out, family->name);
		buf_append_byte(out, ' ');
		buf_append(out, help);
		buf_append_byte(out, '\n');
	}
	buf_append(out, SLICE("# TYPE "));
	buf_append(out, family->name);
	buf_append_byte(out, ' ');
	buf_append(out, metric_type_name(type));
	buf_append_byte(out, '\n');
}

static void go_on(struct page *page, enum page_step step)
{
	page->step = step;
	page->next = 0;
	page->chunk = 0;
}

static void do_family(struct page *page)
{
	page->family = page->family->next;
	if (page->family == &page->snapshot.contents->families.in_order) {
		go_on(page, PAGE_END);
		return;
	}
	struct family *family = current_family(page);
	page->next = 0;
	const struct block *block = first_visible_block(page, family);
	page->next = 0;
	bool has_own = own_lines_of(page, family).len > 0
			|| (has_times(family) && first_visible_group(page) != NULL);
	if (block != NULL || has_own) {
		render_header(page, family, block);
		go_on(page, PAGE_HEADER);
	}
}

/* ---- Lines ---- */

/* Unix time in seconds with six decimals; 0 for never. */
static size_t format_time(int64_t ns, char *out)
{
	if (ns == 0) {
		*out = '0';
		return 1;
	}
	int64_t us = ns / 1000;
	int len =
			snprintf(out, 32, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
	return (size_t)len;
}

static bool add_time(struct page *page, const struct family *family, const struct group *group)
{
	struct group_times times = snapshot_times(&page->snapshot, group);
	bool is_push = family->declaration->source == DECLARATION_PUSH_TIMES;
	char value[32];
	size_t len = format_time(is_push ? times.pushed_ns : times.failed_ns, value);
	size_t bytes = family->name.len + group->label_text.len + TIME_LINE_MAX;
	if (bytes > PAGE_PIECE_BYTES / 2) {
		/* Labels of that size do not fit a buffer: the line is a piece of its own. */
		if (page->piece_bytes > 0 || page->is_full) {
			return false;
		}
		page->help.len = 0;
		buf_append(&page->help, family->name);
		buf_append_byte(&page->help, '{');
		buf_append(&page->help, group->label_text);
		buf_append(&page->help, SLICE("} "));
		buf_append(&page->help, slice_make(value, len));
		buf_append_byte(&page->help, '\n');
		page->is_full = true;
		return add(page, buf_slice(&page->help));
	}
	if (!has_room(page, bytes)) {
		return false;
	}
	put(page, family->name);
	put(page, SLICE("{"));
	put(page, group->label_text);
	put(page, SLICE("} "));
	put(page, slice_make(value, len));
	put(page, SLICE("\n"));
	return true;
}

static bool add_times(struct page *page)
{
	const struct family *family = current_family(page);
	const struct group *group;
	while (has_times(family) && (group = first_visible_group(page)) != NULL) {
		if (!add_time(page, family, group)) {
			return false;
		}
		page->next++;
	}
	return true;
}

/* Inlined, else GCC finds that it has no effect and drops the call. */
static inline __attribute__((always_inline)) void prefetch(
		const struct family *family, uint32_t number)
{
	const char *block = NULL;
	if (number < family->slots.len) {
		block = slot_content(*slots_at(&family->slots, number));
	}
	if (block != NULL) {
		__builtin_prefetch(block);
		__builtin_prefetch(block - 64);
		__builtin_prefetch(block - 128);
	}
}

static bool add_blocks(struct page *page)
{
	const struct family *family = current_family(page);
	for (; page->next < family->slots.len; page->next++, page->chunk = 0) {
		prefetch(family, page->next + PREFETCH_SLOTS);
		const struct block *block = visible_block(page, family, page->next);
		for (; block != NULL && page->chunk < block->chunk_count; page->chunk++) {
			if (!add(page, chunk_text(block->chunks[page->chunk]))) {
				return false;
			}
		}
	}
	return true;
}

/* A header that is referred to stays in its buf until the next piece. */
static bool add_header(struct page *page)
{
	if (page->help.len >= REFER_BYTES && page->piece_bytes > 0) {
		return false;
	}
	return add(page, buf_slice(&page->help));
}

/* Does what is next; false when the piece is full, or the page at its end. */
static bool do_step(struct page *page)
{
	if (page->is_full) {
		return false; /* what follows would overwrite what the piece refers to */
	}
	switch (page->step) {
	case PAGE_FAMILY:
		do_family(page);
		return true;
	case PAGE_HEADER:
		if (!add_header(page)) {
			return false;
		}
		go_on(page, PAGE_OWN_LINES);
		/* A long header must not be overwritten by the next one. */
		return page->help.len < REFER_BYTES;
	case PAGE_OWN_LINES:
		if (!add(page, own_lines_of(page, current_family(page)))) {
			return false;
		}
		go_on(page, PAGE_TIMES);
		return true;
	case PAGE_TIMES:
		if (!add_times(page)) {
			return false;
		}
		go_on(page, PAGE_BLOCKS);
		return true;
	case PAGE_BLOCKS:
		if (!add_blocks(page)) {
			return false;
		}
		go_on(page, PAGE_FAMILY);
		return true;
	case PAGE_END:
		break;
	}
	return false;
}

bool page_next(struct page *page, const struct slice **ret_parts, size_t *ret_count)
{
	page->used = 0;
	page->part_start = 0;
	page->part_count = 0;
	page->piece_bytes = 0;
	page->is_full = false;
	while (do_step(page)) {
	}
	end_part(page);
	page->bytes += page->piece_bytes;
	*ret_parts = page->parts;
	*ret_count = page->part_count;
	return page->part_count > 0;
}
