#pragma once

/*
 * Lines that were taken out of a page, so that what a decoder says of the rest
 * can be told in the numbers of the file.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

enum { CHECK_LINES_MAX = 200 };

struct check_line {
	size_t number; /* in the file */
	bool is_comment;
};

struct check_lines {
	struct check_line removed[CHECK_LINES_MAX]; /* ascending */
	size_t count;
};

/* There must be room. */
void check_lines_remove(struct check_lines *lines, struct check_line line);

/* The last that was taken out before that one; NULL: none. */
const struct check_line *check_lines_before(const struct check_lines *lines, size_t number);

/* The number that a line of what is left has in the file. */
size_t check_lines_original(const struct check_lines *lines, size_t line);

/* A message with what it says about a "line 12" put right; not what is quoted in it. */
struct slice check_lines_renumber(
		const struct check_lines *lines, struct slice text, struct arena *arena);
