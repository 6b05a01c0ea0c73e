#pragma once

/*
 * What was found wrong with a page: faults, which make it invalid, and
 * warnings. Of each kind so many are kept as one can read; all are counted.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

enum {
	CHECK_FAULTS_MAX = 20,
	CHECK_WARNINGS_MAX = 20,
};

struct check_finding {
	bool is_warning;
	size_t line;          /* from 1; 0: none */
	size_t column;        /* in bytes, from 1 */
	const char *place;    /* in the page, where the caret points once it is placed; NULL: none */
	bool has_offset;      /* in a binary format */
	size_t offset;        /* from the page's start */
	struct slice what;    /* what is wrong */
	struct slice hint;    /* what would be right; ptr NULL: nothing more to say */
	struct slice excerpt; /* the line with a caret; empty: none */
};

struct check_report {
	struct check_finding findings[CHECK_FAULTS_MAX + CHECK_WARNINGS_MAX];
	size_t count; /* of those kept */
	size_t fault_count;
	size_t warning_count;
	struct arena arena; /* their texts */
};

void check_report_init(struct check_report *report);
void check_report_finish(struct check_report *report);

/* Copies the texts, if the finding is to be kept. */
void check_report_add(struct check_report *report, const struct check_finding *finding);

/* Whether one more fault would be kept: if not, it is only worth looking for whether there is one.
 */
bool check_report_has_room(const struct check_report *report);

/* By line and column, those without a line last. */
void check_report_sort(struct check_report *report);

/*
 *     FILE:3:5: what is wrong
 *         m{a=b} 1
 *             ^
 *     hint: what would be right
 */
void check_report_print(const struct check_report *report, const char *file, struct buf *out);

/* What a terminal could take for a command becomes a '?'. */
void check_report_append_printable(struct buf *out, struct slice text);
