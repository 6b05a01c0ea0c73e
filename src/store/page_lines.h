#pragma once

/*
 * Lines that a page cannot copy as they are stored: in OpenMetrics those with
 * notes, and those with names in quotes for a scraper that cannot read them.
 */

#include "store/page_head.h"

struct page_lines {
	enum page_format format;
	const struct names *names; /* entered for the family */
	const struct family *family;
	const struct page_head *head;
};

/* Whether the chunk's text is on the page as it is. */
bool page_lines_is_copied(const struct page_lines *lines, const struct chunk *chunk);

/* Appends the chunk's lines, which are of a block of that type. */
void page_lines_append(struct buf *out, const struct page_lines *lines, const struct chunk *chunk,
		enum metric_type type);

/* Appends a line with all of a group's labels: name="value",... and a value of weir's own. */
void page_lines_append_own(struct buf *out, const struct page_lines *lines, struct slice label_text,
		struct slice value);
