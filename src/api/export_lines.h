#pragma once

/*
 * What is stored as the lines of an export, for a worked_body: one version of
 * the store, however long it takes to be sent. No more than some units of it are
 * in memory, beside what is changed in the store meanwhile.
 *
 *     listing --> pieces: groups, or families of a large one --> lines
 */

#include "api/worked_body.h"
#include "base/slice.h"
#include "state/listing.h"
#include "transfer/line.h"

/* A unit of the listing, until all lines of it are written. */
struct export_unit;

struct export_lines {
	struct worked_source source; /* its close is the owner's to set */
	struct store *store;
	const struct slice *jobs; /* escaped; only groups of these */
	size_t job_count;         /* 0: all */
	struct listing listing;
	struct export_unit *open; /* the one that pieces are taken from, or NULL */
	struct list *next_record; /* in it */
	size_t next_family;       /* of that record */
	size_t working;           /* units that are not back */
	struct line_counts counts;
	bool is_begun;
	bool is_listed; /* nothing is left of the listing */
};

/* The jobs are the caller's until close. */
void export_lines_init(struct export_lines *lines, struct store *store, const struct slice *jobs,
		size_t job_count);

/* When the body is closed. */
void export_lines_finish(struct export_lines *lines);
