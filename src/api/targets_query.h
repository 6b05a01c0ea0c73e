#pragma once

/*
 * What a query asks of targets; of modes none are set when it names none:
 *
 *     match[]=SELECTOR state=STATE mode=MODE   any number of times
 *     job=JOB class=CLASS
 *     offset=N limit=N sort=NAME sort=-NAME    of lists; by a label or an attribute
 *     resources=true                           likewise; what each has is shown
 */

#include "api/targets_sort.h"
#include "http/exchange.h"
#include "targets/filter.h"

enum { TARGETS_LIMIT_USUAL = 1000, TARGETS_LIMIT_MAX = 10000 };

struct targets_query {
	struct target_filter filter;
	struct targets_order order;
	size_t offset;
	size_t limit;
	bool with_resources;
};

/* "NAME" or "-NAME"; in its text. False when it is no name. */
bool targets_query_read_order(struct slice text, struct targets_order *ret_order);

/* In the arena. False with a sentence; anything that is not known is an error. */
bool targets_query_read(struct targets_query *query, const struct exchange *exchange,
		bool has_pages, struct arena *arena, struct slice *reterr_text);
