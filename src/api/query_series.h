#pragma once

/*
 * Series of one part of the store that a query selects, written as JSON behind commas.
 *
 * What is read belongs to the store and is seen by a snapshot that is open, so that
 * this works on any thread.
 */

#include "api/family_lines.h"
#include "api/query_parameters.h"

/* Of a family. */
struct query_part {
	struct slice family; /* its name */
	enum metric_type own_type;
	struct gathered_lines lines;
};

enum { QUERY_ROLES = SAMPLE_GCOUNT + 1 };

struct query_series {
	/* Set by the caller. */
	const struct query *query;
	uint64_t left;         /* series that may be written */
	uint64_t work_ns_left; /* that it may take */

	/* What came of it. */
	uint64_t written;
	uint64_t work_ns;
	bool is_cut;  /* there are more than may be written */
	bool is_late; /* it takes too long */
	bool has_failed_pattern;

	struct buf *out;
	struct arena arena; /* of the metric that is read, and of names */
	struct arena name_arena;
	struct pattern_scratch scratch;
	uint64_t began_ns;
	struct slice names[QUERY_ROLES]; /* by role, of the family's series */
	bool is_selected[QUERY_ROLES];   /* by their names */
};

/* The caller has set what is its own, all else is zeroed; the arena is for scratch. */
void query_series_init(struct query_series *series, struct buf *out, struct arena *arena);
void query_series_finish(struct query_series *series);

/* Nothing more is to be written. */
static inline bool query_series_is_over(const struct query_series *series)
{
	return series->is_cut || series->is_late || series->has_failed_pattern;
}

void query_series_write(struct query_series *series, const struct query_part *part);
