#pragma once

/*
 * Reads a line of an export. Nothing of it is trusted: whatever it says, reading
 * ends, takes memory in proportion to the line, and what comes out can be
 * exposed.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"
#include "transfer/line.h"

enum line_kind {
	LINE_HEADER,
	LINE_GROUP,
	LINE_END,
};

/* One push, of which some families are there. */
struct line_part {
	int64_t pushed_ns;
	struct batch batch;
};

struct line {
	enum line_kind kind;

	/* Of a group. */
	struct line_group group;
	struct line_part *parts; /* in the order of their times; their families by name */
	size_t part_count;
	uint32_t *places; /* of all families, in that order */
	size_t family_count;
	uint64_t series;

	/* Of the end. */
	struct line_counts counts;
};

struct line_error {
	struct slice what;   /* is wrong, and where */
	struct slice labels; /* of the group, as it is exposed; empty: they cannot be read */
};

/*
 * The line, without its line feed; what comes of it lies in the arena, and so
 * does an error. Not for several threads at a time.
 */
bool line_read(struct slice text, struct arena *arena, struct line *ret_line,
		struct line_error *reterr_error);
