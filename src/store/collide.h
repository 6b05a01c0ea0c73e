#pragma once

/*
 * Whether a block has a series in common with another group's exposed block
 * of the same family; see shape.h for which groups that can be at all.
 *
 * Each line of the block is looked up in those few blocks by its identity, so
 * the work grows with the block, not with what is stored. A long block is gone
 * through in slices.
 */

#include <stdbool.h>
#include <stdint.h>

struct check_subject;
struct contents;
struct family;
struct group;

enum collide_result {
	COLLIDE_NONE,
	COLLIDE_FOUND,
	COLLIDE_MORE, /* a slice is done: call again with the same cursor */
};

/* How far it is; all zero at the beginning. */
struct collide_cursor {
	uint32_t chunk; /* of the block */
	uint32_t line;  /* number of the chunk's first */
};

/* The line's number, and the group that has the series, are set when one was found. */
enum collide_result collide_find(const struct contents *contents,
		const struct check_subject *subject, struct collide_cursor *cursor,
		uint32_t *ret_line_number, const struct group **ret_group);

/*
 * Calls back for the groups that have a series of the block exposed, some of them
 * several times, until it answers false. It may not change anything.
 */
void collide_each(const struct contents *contents, const struct check_subject *subject,
		bool (*on_group)(void *data, struct group *group), void *data);

/* Whose block is exposed in that slot: the group, read off a line of it. */
struct group *collide_owner(
		const struct contents *contents, const struct family *family, uint32_t slot);
