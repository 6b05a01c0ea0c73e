#pragma once

/*
 * What of a family is on the page, gathered from one version of the store, in the
 * order of the page: weir's own lines, a line with a time for each group, the
 * blocks. For the loop thread; what was gathered is read on any.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "store/page.h"

/* A family, and those of its slots that are on the page. */
struct family_span {
	struct family *family;
	uint32_t first_slot;
	uint32_t end_slot; /* those that it has not got are left out */
};

/* Some chunks of a block. */
struct lines_range {
	const struct block *block;
	uint32_t first_chunk;
	uint32_t end_chunk;
};

/* Blocks belong to the store and are seen by the snapshot. */
struct gathered_lines {
	struct slice text; /* of weir's own */
	struct lines_range *ranges;
	size_t range_count;
	size_t range_capacity;
};

struct family_lines {
	const struct snapshot *snapshot;
	const struct family_declaration *declarations;
	const struct slice *own_lines; /* by declaration; NULL: none */
	uint32_t first_group;          /* slots of those groups whose times are on the page */
	uint32_t end_group;
	struct buf text; /* scratch */
};

enum family_place_step {
	FAMILY_PLACE_OWN,
	FAMILY_PLACE_TIMES,
	FAMILY_PLACE_BLOCKS,
	FAMILY_PLACE_END,
};

/* Zeroed: before the family's first line. */
struct family_place {
	enum family_place_step step;
	uint32_t next;  /* slot, of the groups or of the family */
	uint32_t chunk; /* of the block in that slot */
};

/*
 * The snapshot is open, and stays so until family_lines_finish(). The part is that of the
 * page which is wanted; NULL: all of it.
 */
void family_lines_init(struct family_lines *lines, const struct snapshot *snapshot,
		const struct family_declaration *declarations, const struct slice *own_lines,
		const struct page_part *part);
void family_lines_finish(struct family_lines *lines);

/* All of the family. */
static inline struct family_span family_span_of(struct family *family)
{
	return (struct family_span){ .family = family, .end_slot = UINT32_MAX };
}

/* What of it is on that part. */
struct family_span family_span_of_place(const struct page_place *place);

/* Whether there is anything of the family on the page. */
bool family_lines_has_any(const struct family_lines *lines, const struct family_span *span);

/*
 * What comes next of the family, about so many bytes of text, with what
 * is needed for it in the arena. Returns how many there were; the place tells
 * whether that was all.
 */
size_t family_lines_gather(struct family_lines *lines, const struct family_span *span,
		struct family_place *place, struct gathered_lines *gathered, struct arena *arena,
		size_t bytes);
