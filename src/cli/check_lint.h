#pragma once

/*
 * Looks through what a decoder took: for what a push would be refused for all
 * the same, which is a fault, and for what the specifications advise against or
 * what is most likely a mistake, which is a warning. What is OpenMetrics its
 * decoder alone decides: there everything else is a warning.
 */

#include "cli/check_page.h"

void check_lint(const struct check_page *page, struct check_report *report);

/* ---- What the parts of it share ---- */

struct lint {
	const struct check_page *page;
	struct check_report *report;
	struct arena scratch;
	bool is_text;  /* what was not in the page is told by line 0 */
	bool is_whole; /* what is missing in the batch is missing in the page */
	bool is_openmetrics;
	bool has_points;        /* a series may be there several times, at other times */
	bool has_equal_samples; /* has been reported */
};

/* A sample as it is exposed, m{a="b"}, cut to what one can read. */
struct slice lint_series(
		struct lint *lint, const struct batch_family *family, const struct sample *sample);

/* A metric's name, in quotes where it needs them. */
struct slice lint_name(struct lint *lint, struct slice name);

/*
 * About a sample, NULL: none. `place` is what the caret points at, if it is in
 * the sample's line. The scratch memory is empty afterwards.
 */
void lint_fault(struct lint *lint, const struct sample *sample, const char *place,
		struct slice what, const char *hint);
void lint_warn(struct lint *lint, const struct sample *sample, const char *place, struct slice what,
		const char *hint);

/* ---- check_series.c: samples that are the same series ---- */

void lint_repeated(struct lint *lint, const struct batch_family *family);

/* ---- check_histogram.c: buckets that contradict each other ---- */

void lint_buckets(struct lint *lint, const struct batch_family *family);

/* ---- check_families.c: families that are in each other's way ---- */

void lint_names(struct lint *lint);
void lint_order(struct lint *lint);
