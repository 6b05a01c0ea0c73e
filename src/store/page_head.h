#pragma once

/*
 * What stands above the lines of a family on a page: HELP, TYPE and UNIT.
 *
 * OpenMetrics calls a counter by its name without _total, an info without
 * _info. Where that is impossible, because something else has that name or the
 * name has no such end, the family is shown under its own name as what needs
 * no end: `unknown`, or a gauge. No series is ever renamed.
 */

#include "base/buf.h"
#include "store/names.h"

enum page_format {
	PAGE_TEXT,        /* 0.0.4 */
	PAGE_OPENMETRICS, /* 1.0 */
};

struct page_head {
	struct slice name; /* of the metadata lines; in OpenMetrics that of the metric family */
	struct slice type;
	bool has_exemplars; /* that are to be shown; likewise times of creation */
	bool has_created;
};

/* What blocks of these types, a bit each, are together: the plainest of them. */
enum metric_type page_head_common_type(unsigned types);

/* Decides for a family of which something is on the page, and appends the lines. */
void page_head_append(struct buf *out, enum page_format format, const struct names *names,
		struct family *family, struct page_head *ret_head);
