#include "api/family_lines.h"

enum { PREFETCH_SLOTS = 8 };

void family_lines_init(struct family_lines *lines, const struct snapshot *snapshot,
		const struct family_declaration *declarations, const struct slice *own_lines,
		const struct page_part *part)
{
	bool is_one = part != NULL && part->group_slot != SLOT_NONE;
	*lines = (struct family_lines){
		.snapshot = snapshot,
		.declarations = declarations,
		.own_lines = own_lines,
		.first_group = is_one ? part->group_slot : 0,
		.end_group = is_one    ? part->group_slot + 1
				: part != NULL ? 0
							   : UINT32_MAX,
	};
	buf_init(&lines->text, 0);
}

void family_lines_finish(struct family_lines *lines)
{
	buf_finish(&lines->text);
}

/* ---- What there is ---- */

static struct slice own_lines_of(const struct family_lines *lines, const struct family *family)
{
	if (family->declaration == NULL || lines->own_lines == NULL) {
		return slice_make(NULL, 0);
	}
	return lines->own_lines[family->declaration - lines->declarations];
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

struct family_span family_span_of_place(const struct page_place *place)
{
	bool has_slot = place->slot != SLOT_NONE;
	return (struct family_span){
		.family = place->family,
		.first_slot = has_slot ? place->slot : 0,
		.end_slot = has_slot ? place->slot + 1 : 0,
	};
}

static uint32_t end_of_groups(const struct family_lines *lines)
{
	return smaller(lines->end_group, lines->snapshot->contents->group_slots.len);
}

static uint32_t end_of_slots(const struct family_span *span)
{
	return smaller(span->end_slot, span->family->slots.len);
}

static bool has_visible_group(const struct family_lines *lines)
{
	uint32_t end = end_of_groups(lines);
	for (uint32_t i = lines->first_group; i < end; i++) {
		if (snapshot_group(lines->snapshot, i) != NULL) {
			return true;
		}
	}
	return false;
}

static bool has_visible_block(const struct family_lines *lines, const struct family_span *span)
{
	uint32_t end = end_of_slots(span);
	for (uint32_t i = span->first_slot; i < end; i++) {
		if (snapshot_block(lines->snapshot, span->family, i) != NULL) {
			return true;
		}
	}
	return false;
}

bool family_lines_has_any(const struct family_lines *lines, const struct family_span *span)
{
	return own_lines_of(lines, span->family).len > 0 || has_visible_block(lines, span)
			|| (family_has_times(span->family) && has_visible_group(lines));
}

/* ---- Times ---- */

static void append_time_line(
		struct family_lines *lines, const struct family *family, const struct group *group)
{
	char value[SNAPSHOT_TIME_MAX];
	size_t len = snapshot_format_time(lines->snapshot, family, group, value);
	struct buf *out = &lines->text;
	buf_append(out, family->name);
	buf_append_byte(out, '{');
	buf_append(out, group->label_text);
	buf_append(out, SLICE("} "));
	buf_append(out, slice_make(value, len));
	buf_append_byte(out, '\n');
}

/* Until there are so many bytes; true at the end. */
static bool gather_times(struct family_lines *lines, const struct family *family,
		struct family_place *place, size_t bytes)
{
	uint32_t end = family_has_times(family) ? end_of_groups(lines) : 0;
	for (; place->next < end; place->next++) {
		if (lines->text.len >= bytes) {
			return false;
		}
		const struct group *group = snapshot_group(lines->snapshot, place->next);
		if (group != NULL) {
			append_time_line(lines, family, group);
		}
	}
	return true;
}

/* ---- Blocks ---- */

/* Inlined, else GCC finds that it has no effect and drops the call. */
static inline __attribute__((always_inline)) void prefetch(
		const struct family *family, uint32_t number)
{
	if (number < family->slots.len) {
		__builtin_prefetch(slot_content(*slots_at(&family->slots, number)));
	}
}

static void add_range(struct gathered_lines *gathered, struct arena *arena,
		const struct block *block, uint32_t first_chunk, uint32_t end_chunk)
{
	if (gathered->range_count == gathered->range_capacity) {
		size_t old_bytes = gathered->range_count * sizeof(*gathered->ranges);
		gathered->range_capacity =
				gathered->range_capacity == 0 ? 16 : gathered->range_capacity * 2;
		gathered->ranges = arena_grow(arena, gathered->ranges, old_bytes,
				gathered->range_capacity * sizeof(*gathered->ranges));
	}
	gathered->ranges[gathered->range_count++] = (struct lines_range){
		.block = block,
		.first_chunk = first_chunk,
		.end_chunk = end_chunk,
	};
}

/* From the chunk on, as many as go into the bytes, at least one. */
static uint32_t find_end_chunk(const struct block *block, uint32_t chunk, size_t *bytes)
{
	size_t text_bytes = 0;
	do {
		text_bytes += chunk_bytes(block->chunks[chunk++]);
	} while (chunk < block->chunk_count && text_bytes < *bytes);
	*bytes = *bytes > text_bytes ? *bytes - text_bytes : 0;
	return chunk;
}

/* Until so many bytes are used up; true at the end. */
static bool gather_blocks(struct family_lines *lines, const struct family_span *span,
		struct family_place *place, struct gathered_lines *gathered, struct arena *arena,
		size_t *bytes)
{
	const struct family *family = span->family;
	uint32_t end_slot = end_of_slots(span);
	for (; place->next < end_slot; place->next++, place->chunk = 0) {
		prefetch(family, place->next + PREFETCH_SLOTS);
		const struct block *block = snapshot_block(lines->snapshot, family, place->next);
		while (block != NULL && place->chunk < block->chunk_count) {
			if (*bytes == 0) {
				return false;
			}
			uint32_t end = find_end_chunk(block, place->chunk, bytes);
			add_range(gathered, arena, block, place->chunk, end);
			place->chunk = end;
		}
	}
	return true;
}

/* ---- All of it ---- */

static void go_on(struct family_place *place, enum family_place_step step, uint32_t first)
{
	*place = (struct family_place){ .step = step, .next = first };
}

size_t family_lines_gather(struct family_lines *lines, const struct family_span *span,
		struct family_place *place, struct gathered_lines *gathered, struct arena *arena,
		size_t bytes)
{
	size_t left = bytes;
	lines->text.len = 0;
	if (place->step == FAMILY_PLACE_OWN) {
		buf_append(&lines->text, own_lines_of(lines, span->family));
		go_on(place, FAMILY_PLACE_TIMES, lines->first_group);
	}
	if (place->step == FAMILY_PLACE_TIMES && gather_times(lines, span->family, place, bytes)) {
		go_on(place, FAMILY_PLACE_BLOCKS, span->first_slot);
	}
	gathered->text = arena_copy(arena, buf_slice(&lines->text));
	left -= gathered->text.len < left ? gathered->text.len : left;
	if (place->step == FAMILY_PLACE_BLOCKS
			&& gather_blocks(lines, span, place, gathered, arena, &left)) {
		go_on(place, FAMILY_PLACE_END, 0);
	}
	return bytes - left;
}
