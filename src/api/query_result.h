#pragma once

/*
 * The latest values of the series that a selector selects: the source of a body,
 * see worked_body.h. They are of one version of the store, in the order of the page.
 *
 *     {"status":"success","data":{"resultType":"vector","result":[{...},{...}]}}
 *
 * When the metric's name is given, nothing but the families that may have series of
 * that name is looked at.
 */

#include "api/api.h"
#include "api/family_lines.h"
#include "api/query_parameters.h"
#include "api/worked_body.h"

enum query_failure {
	QUERY_IS_GOOD,
	QUERY_E_PATTERN, /* a regular expression takes too many steps on a value */
	QUERY_E_TIMEOUT, /* making it took longer than it may */
};

/* Families that may have series of one name: of that name, and of those without a suffix. */
enum { QUERY_FAMILIES_MAX = 1 + SAMPLE_SUFFIX_COUNT };

struct query_result {
	struct worked_source source; /* its close() is set by whoever has the rest freed */
	struct api *api;
	const struct query *query;
	enum query_failure failure; /* when the body has failed */
	struct arena arena;         /* weir's own lines */

	/* Where it is. */
	bool is_open;
	struct snapshot snapshot;
	struct family_lines lines;
	struct slice names[QUERY_FAMILIES_MAX]; /* of families, when only some are looked at */
	size_t name_count;
	size_t next_name;
	struct family_span span; /* of the family that was begun last; no family: none was */
	bool is_in_family;       /* there is more of it */
	struct family_place place;

	size_t working; /* units */
	uint64_t shown; /* series */
	bool is_cut;    /* there were more than the limit allows */
	bool is_begun;  /* something was sent */
	uint64_t work_ns;
};

/* The query is the caller's, until query_result_finish(). */
void query_result_init(struct query_result *result, struct api *api, const struct query *query);

/* To be called by the source's close(). */
void query_result_finish(struct query_result *result);
