#pragma once

/*
 * A target's attributes as the line that shows them on the page:
 *
 *     target_info{instance="i",job="j",rack="r1"} 1
 *
 * It is made when the target is configured, since pages are made more often. Two targets
 * may come to the same line, where the attributes of one are labels of the other; who
 * makes a page is told by the hash.
 */

#include <stdint.h>

#include "base/map.h"
#include "base/slice.h"

struct target;

struct info_line {
	struct map_node node; /* in registry::info_lines, by its labels */
	uint64_t identity;    /* see target_identity() */
	size_t len;
	char text[];
};

/* Heap; NULL when it has nothing to show, or labels that not every scraper can read. */
struct info_line *info_line_create(const struct target *target);

/* A hash of a job and an instance, escaped or not alike; an empty one is none. */
uint64_t target_identity(struct slice job, struct slice instance);

static inline struct slice info_line_text(const struct info_line *line)
{
	return slice_make(line->text, line->len);
}
