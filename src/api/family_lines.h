#pragma once

/*
 * What of a family is on the page, gathered from one version of the store, in the
 * order of the page: weir's own lines, a line with a time for each group, the
 * blocks. For the loop thread; what was gathered is read on any.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "store/snapshot.h"

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
	struct buf text;               /* scratch */
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

/* The snapshot is open, and stays so until family_lines_finish(). */
void family_lines_init(struct family_lines *lines, const struct snapshot *snapshot,
		const struct family_declaration *declarations, const struct slice *own_lines);
void family_lines_finish(struct family_lines *lines);

/* Whether there is anything of the family on the page. */
bool family_lines_has_any(const struct family_lines *lines, const struct family *family);

/*
 * What comes next of the family, about so many bytes of text, with what
 * is needed for it in the arena. Returns how many there were; the place tells
 * whether that was all.
 */
size_t family_lines_gather(struct family_lines *lines, const struct family *family,
		struct family_place *place, struct gathered_lines *gathered, struct arena *arena,
		size_t bytes);
