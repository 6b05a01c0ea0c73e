#pragma once

/*
 * Writes a stored group, or some of its families, as a line of an export, on
 * any thread while what the record refers to is held on to.
 */

#include "state/record.h"
#include "transfer/line_write.h"

struct group_piece {
	const struct record_source *source;
	size_t first; /* of its families */
	size_t count;
	bool adds; /* the group has a line already */
};

/* Sorts the piece's families by name, so that the same is written the same way. */
void group_write(struct line_writer *writer, const struct group_piece *piece, struct arena *arena);
