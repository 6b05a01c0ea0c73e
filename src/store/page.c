#include "store/page.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
	REFER_BYTES = 4 * 1024, /* from this size on text is referred to, not copied */
	PREFETCH_SLOTS = 8,
	TIME_LINE_MAX = 128,    /* bytes of a push time's line beside its labels */
	KEPT_BYTES = 64 * 1024, /* of the memory for made text, from one chunk to the next */
};

/* A buffer outlives its page, so that each scrape does not fault in new memory. */
static char *spare_buffer;

bool page_init(struct page *page, struct store *store, const struct page_options *options)
{
	*page = (struct page){ .options = *options, .declarations = store->declarations };
	if (!snapshot_open(&page->snapshot, store)) {
		return false;
	}
	names_init(&page->names, &page->snapshot, options->escaping);
	page->lines = (struct page_lines){
		.format = options->format,
		.names = &page->names,
		.head = &page->head,
	};
	page->family = &store->contents->families.in_order;
	page->buffer = spare_buffer != NULL ? spare_buffer : memory_alloc(PAGE_PIECE_BYTES);
	spare_buffer = NULL;
	buf_init(&page->made, 0);
	return true;
}

void page_finish(struct page *page)
{
	names_finish(&page->names);
	snapshot_close(&page->snapshot);
	buf_finish(&page->made);
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

static size_t room(const struct page *page)
{
	return page->piece_bytes < PAGE_PIECE_BYTES ? PAGE_PIECE_BYTES - page->used : 0;
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
		if (room(page) < text.len) {
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

/* Text that was made for this page is copied, in as many pieces as it takes; false: not all yet. */
static bool add_made(struct page *page)
{
	struct slice rest = slice_skip(buf_slice(&page->made), page->made_used);
	rest = slice_first(rest, room(page));
	if (rest.len > 0) {
		put(page, rest);
		page->made_used += rest.len;
	}
	if (page->made_used < page->made.len) {
		return false;
	}
	buf_reset(&page->made, KEPT_BYTES);
	page->made_used = 0;
	return true;
}

/* ---- Families ---- */

static struct family *current_family(const struct page *page)
{
	return LIST_ENTRY(page->family, struct family, in_order);
}

static struct slice own_lines_of(const struct page *page, const struct family *family)
{
	if (family->declaration == NULL || page->options.own_lines == NULL) {
		return slice_make(NULL, 0);
	}
	return page->options.own_lines[family->declaration - page->declarations];
}

/* ---- Slots ---- */

/* Those of the family that are on the page, a range. */
static uint32_t first_slot(const struct page *page)
{
	const struct page_part *part = page->options.part;
	return part == NULL ? 0 : part->places[page->place - 1].slot;
}

static uint32_t end_of_slots(const struct page *page, const struct family *family)
{
	bool is_one = page->options.part != NULL && first_slot(page) != SLOT_NONE;
	return is_one ? first_slot(page) + 1 : family->slots.len;
}

static uint32_t first_group_slot(const struct page *page)
{
	return page->options.part == NULL ? 0 : page->options.part->group_slot;
}

static uint32_t end_of_group_slots(const struct page *page)
{
	bool is_one = page->options.part != NULL && first_group_slot(page) != SLOT_NONE;
	return is_one ? first_group_slot(page) + 1 : page->snapshot.contents->group_slots.len;
}

static const struct block *first_visible_block(struct page *page, const struct family *family)
{
	uint32_t end = end_of_slots(page, family);
	for (; page->next < end; page->next++) {
		const struct block *block = snapshot_block(&page->snapshot, family, page->next);
		if (block != NULL) {
			return block;
		}
	}
	return NULL;
}

static const struct group *first_visible_group(struct page *page)
{
	uint32_t end = end_of_group_slots(page);
	for (; page->next < end; page->next++) {
		const struct group *group = snapshot_group(&page->snapshot, page->next);
		if (group != NULL) {
			return group;
		}
	}
	return NULL;
}

static void go_on(struct page *page, enum page_step step)
{
	page->step = step;
	page->next = 0;
	page->chunk = 0;
	if (step == PAGE_TIMES) {
		page->next = first_group_slot(page);
	} else if (step == PAGE_BLOCKS) {
		page->next = first_slot(page);
	}
}

/* False at the end. */
static bool find_next_family(struct page *page)
{
	const struct page_part *part = page->options.part;
	if (part == NULL) {
		page->family = page->family->next;
		return page->family != &page->snapshot.contents->families.in_order;
	}
	if (page->place == part->place_count) {
		return false;
	}
	page->family = &part->places[page->place++].family->in_order;
	return true;
}

static void enter_family(struct page *page, struct family *family)
{
	page->lines.family = family;
	names_enter(&page->names, family);
	page_head_append(&page->made, page->options.format, &page->names, family, &page->head);
	go_on(page, PAGE_OWN_LINES);
}

static void do_family(struct page *page)
{
	if (!find_next_family(page)) {
		bool is_openmetrics = page->options.format == PAGE_OPENMETRICS;
		buf_append(&page->made, is_openmetrics ? SLICE("# EOF\n") : SLICE(""));
		go_on(page, PAGE_END);
		return;
	}
	struct family *family = current_family(page);
	page->next = first_slot(page);
	const struct block *block = first_visible_block(page, family);
	page->next = first_group_slot(page);
	bool has_own = own_lines_of(page, family).len > 0
			|| (family_has_times(family) && first_visible_group(page) != NULL);
	if (block != NULL || has_own) {
		enter_family(page, family);
	}
}

/* ---- Lines ---- */

static void add_time(struct page *page, const struct family *family, const struct group *group)
{
	char text[SNAPSHOT_TIME_MAX];
	size_t len = snapshot_format_time(&page->snapshot, family, group, text);
	struct slice value = slice_make(text, len);
	bool is_escaped = group->has_quoted && page->names.escaping != ESCAPING_ALLOW_UTF8;
	if (is_escaped || room(page) < family->name.len + group->label_text.len + TIME_LINE_MAX) {
		page_lines_append_own(&page->made, &page->lines, group->label_text, value);
		return;
	}
	put(page, family->name);
	put(page, SLICE("{"));
	put(page, group->label_text);
	put(page, SLICE("} "));
	put(page, value);
	put(page, SLICE("\n"));
}

/* False when some of it has to wait. */
static bool add_times(struct page *page)
{
	const struct family *family = current_family(page);
	const struct group *group;
	while (family_has_times(family) && (group = first_visible_group(page)) != NULL) {
		if (page->made.len > 0) {
			return false;
		}
		add_time(page, family, group);
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

/* False when it has to wait for the next piece. */
static bool add_chunk(struct page *page, const struct chunk *chunk, enum metric_type type)
{
	if (page_lines_is_copied(&page->lines, chunk)) {
		return add(page, chunk_text(chunk));
	}
	page_lines_append(&page->made, &page->lines, chunk, type);
	return true;
}

static bool add_blocks(struct page *page)
{
	const struct family *family = current_family(page);
	uint32_t end = end_of_slots(page, family);
	for (; page->next < end; page->next++, page->chunk = 0) {
		prefetch(family, page->next + PREFETCH_SLOTS);
		const struct block *block = snapshot_block(&page->snapshot, family, page->next);
		while (block != NULL && page->chunk < block->chunk_count) {
			if (!add_chunk(page, block->chunks[page->chunk], (enum metric_type)block->type)) {
				return false;
			}
			page->chunk++;
			if (page->made.len > 0 && !add_made(page)) {
				return false;
			}
		}
	}
	return true;
}

/*
 * Does what is next; false when the piece is full, or the page at its end. What
 * was made for the page comes first.
 */
static bool do_step(struct page *page)
{
	if (page->made.len > 0 && !add_made(page)) {
		return false;
	}
	switch (page->step) {
	case PAGE_FAMILY:
		do_family(page);
		return true;
	case PAGE_OWN_LINES:
		if (!add(page, own_lines_of(page, current_family(page)))) {
			return false;
		}
		go_on(page, PAGE_TIMES);
		return true;
	case PAGE_TIMES:
		if (add_times(page)) {
			go_on(page, PAGE_BLOCKS);
		}
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
	while (do_step(page)) {
	}
	end_part(page);
	page->bytes += page->piece_bytes;
	*ret_parts = page->parts;
	*ret_count = page->part_count;
	return page->part_count > 0;
}
