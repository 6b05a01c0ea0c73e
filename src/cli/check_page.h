#pragma once

/*
 * A page while it is checked. A decoder stops at the first fault; to find the
 * next one, the faulty line is taken out and the rest read again.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/check_lines.h"
#include "cli/check_report.h"
#include "format/format.h"

struct check_page {
	enum format_id format;
	struct format_options options;
	struct buf *body; /* without the lines that were taken out */
	struct check_lines lines;
	size_t work_bytes; /* that may still be read to find the next fault */
	bool is_cut;       /* it was enough of that: there may be more faults */
	struct arena arena;
	struct batch batch;
};

/* The page changes the body. */
void check_page_init(
		struct check_page *page, enum format_id format, bool utf8_names, struct buf *body);
void check_page_finish(struct check_page *page);

/* Reports each fault found on the way. False when there is no batch in the end. */
bool check_page_read(struct check_page *page, struct check_report *report);

/* Nothing was taken out, so that what is missing in the batch is missing in the page. */
bool check_page_is_whole(const struct check_page *page);

/*
 * Gives the findings that the batch led to their columns and excerpts, and sorts
 * all of them.
 */
void check_page_place(const struct check_page *page, struct check_report *report);
