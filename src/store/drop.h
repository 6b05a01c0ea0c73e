#pragma once

/*
 * Takes families out of a group: what another weir has removed from it.
 */

#include "store/store.h"

/*
 * All families of the group for which is_dropped() says so, as one change; its
 * times stay. No push may be in slices, and the group not be busy.
 */
void store_drop_families(struct store *store, struct group *group,
		bool (*is_dropped)(void *data, const struct member *member), void *data);
