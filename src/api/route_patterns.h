#pragma once

/*
 * Paths of which a part is a name, an id or a grouping key. To add one: what finds it, and a row
 * in the table of route_patterns.c.
 */

#include "api/route.h"

enum {
	GET = 1 << METHOD_GET,
	PUT = 1 << METHOD_PUT,
	POST = 1 << METHOD_POST,
	DELETE = 1 << METHOD_DELETE,
	PATCH = 1 << METHOD_PATCH,
	HEAD = 1 << METHOD_HEAD,
	PUSH_METHODS = PUT | POST | DELETE,
};

/* What a job stands behind: as it is, and in base64. */
extern const struct slice route_push_roots[2];

/*
 * The methods that such a path has, and what is in it; 0 when it is none. Paths with a grouping
 * key go before all others, since the scrape path may be any; those with a name come last.
 */
unsigned route_match_key(struct slice path, struct route *route);
unsigned route_match_name(struct slice path, struct route *route);

/* As route_describe(), of these alone. */
bool route_patterns_describe(size_t number, struct route_place *ret_place);
