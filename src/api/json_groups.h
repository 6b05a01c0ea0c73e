#pragma once

/*
 * All groups as JSON: the source of a body; see worked_body.h.
 *
 *     {"status":"success","data":[{...},{...}]}
 *
 * Each group is read as of one version of the store; groups that come and go
 * meanwhile may be there or not. Small groups share a unit of work. One that is
 * too large for that is written by one unit after the other, which go on where
 * the last one stopped.
 */

#include <stdbool.h>

#include "api/json_group.h"
#include "api/worked_body.h"
#include "store/store.h"

struct large_json_group;

struct json_groups {
	struct worked_source source; /* its close() is set by whoever has the rest freed */
	struct store *store;
	const struct selectors *selectors; /* NULL: all is written */
	uint32_t next_group;               /* slot */
	bool is_begun;                     /* something was sent */
	struct large_json_group *large;    /* the one that is being written, or NULL */
};

/* The selectors are the caller's, until json_groups_finish(). */
void json_groups_init(
		struct json_groups *groups, struct store *store, const struct selectors *selectors);

/* To be called by the source's close(). */
void json_groups_finish(struct json_groups *groups);
