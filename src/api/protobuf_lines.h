#pragma once

/*
 * What of a family is on the protobuf page, gathered from one version of the
 * store, in the order of the page: weir's own lines, a line with a time for each
 * group, the blocks. For the loop thread.
 */

#include "api/protobuf_part.h"
#include "store/snapshot.h"

struct protobuf_lines {
	const struct snapshot *snapshot;
	const struct family_declaration *declarations;
	const struct slice *own_lines; /* by declaration; NULL: none */
	struct buf text;               /* scratch */
};

enum protobuf_place_step {
	PROTOBUF_PLACE_OWN,
	PROTOBUF_PLACE_TIMES,
	PROTOBUF_PLACE_BLOCKS,
	PROTOBUF_PLACE_END,
};

/* Zeroed: before the family's first line. */
struct protobuf_place {
	enum protobuf_place_step step;
	uint32_t next;  /* slot, of the groups or of the family */
	uint32_t chunk; /* of the block in that slot */
};

/* The snapshot is open, and stays so until protobuf_lines_finish(). */
void protobuf_lines_init(struct protobuf_lines *lines, const struct snapshot *snapshot,
		const struct family_declaration *declarations, const struct slice *own_lines);
void protobuf_lines_finish(struct protobuf_lines *lines);

/* Whether there is anything of the family on the page. */
bool protobuf_lines_has_any(const struct protobuf_lines *lines, const struct family *family);

/*
 * What comes next of the family, about so many bytes of text, into the part,
 * which keeps it in the arena. Returns how many there were; the place tells
 * whether that was all.
 */
size_t protobuf_lines_gather(struct protobuf_lines *lines, const struct family *family,
		struct protobuf_place *place, struct protobuf_part *part, struct arena *arena,
		size_t bytes);
