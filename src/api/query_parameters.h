#pragma once

/*
 * What is asked of /api/v1/query, as Prometheus takes it: in the URL or, with POST,
 * in a form, which goes first.
 *
 *     query=SELECTOR time=T timeout=D limit=N lookback_delta=D
 *
 * Of a parameter that comes several times the first counts, an empty one is as none,
 * and others are ignored.
 */

#include "http/exchange.h"
#include "model/selector.h"

struct query {
	struct selectors selectors; /* one */
	struct slice name;          /* of the metric, when no other can match; escaped. Empty: any */
	bool has_patterns;
	struct slice time;      /* of the answer: Unix seconds, 1795161340.637 */
	bool is_far;            /* that time is not now */
	uint64_t limit;         /* series; 0: none */
	uint64_t work_ns_limit; /* that the answer may take to be made */
};

/*
 * In the arena; the form is empty when there is none. False with a sentence, for status
 * 400.
 */
bool query_parameters_read(struct query *query, const struct exchange *exchange, struct slice form,
		struct arena *arena, struct slice *reterr_text);
