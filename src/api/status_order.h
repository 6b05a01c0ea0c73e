#pragma once

/*
 * The order of groups on the web page: by job, then by the other labels. Only
 * the groups of one page are put in order; those before and behind it need not
 * be.
 */

#include <stddef.h>

#include "store/group.h"

struct status_ref {
	const struct group *group;
	struct slice job; /* of its key */
};

/*
 * Moves the refs that belong at places from first to first + count - 1 there,
 * in order. Takes linear time; works on any thread.
 */
void status_order_select(struct status_ref *refs, size_t len, size_t first, size_t count);
