#pragma once

/*
 * The scrape page as text, 0.0.4 or OpenMetrics: written from one version of
 * the store in pieces, families in name order, each with its metadata once.
 *
 * Small blocks are copied into a buffer, with the next ones prefetched; larger
 * ones are referred to where they lie, for a vectored write. Lines that cannot
 * be shown as they are stored are made for the page; see page_lines.h.
 */

#include "base/buf.h"
#include "store/page_lines.h"
#include "store/snapshot.h"

enum {
	PAGE_PIECE_BYTES = 128 * 1024,
	PAGE_PARTS_MAX = 64,
};

enum page_step {
	PAGE_FAMILY, /* on to the next family */
	PAGE_OWN_LINES,
	PAGE_TIMES,
	PAGE_BLOCKS,
	PAGE_END,
};

struct page_options {
	enum page_format format;
	enum escaping escaping;
	const struct slice *own_lines; /* by the store's declarations: rendered lines, possibly none;
	                                * the caller's, until page_finish() */
};

struct page {
	struct page_options options;
	struct snapshot snapshot;
	struct names names;
	struct page_head head;   /* of the current family */
	struct page_lines lines; /* likewise */
	const struct family_declaration *declarations;
	struct list *family; /* family::in_order */
	enum page_step step;
	uint32_t next;  /* slot, of the family or of the groups */
	uint32_t chunk; /* of the block in the next slot */
	char *buffer;   /* PAGE_PIECE_BYTES */
	size_t used;
	size_t part_start;
	struct buf made;  /* text that is not in the store as it is: metadata, changed lines */
	size_t made_used; /* of it, on the page already */
	struct slice parts[PAGE_PARTS_MAX];
	size_t part_count;
	size_t piece_bytes;
	uint64_t bytes; /* produced so far */
};

/* False while a change is being made in slices; see snapshot_open(). */
bool page_init(struct page *page, struct store *store, const struct page_options *options);
void page_finish(struct page *page);

/* Frees the buffer that is kept from one page to the next. */
void page_release_spare(void);

/*
 * Sets the next piece's parts, valid until the next call. False at the end.
 */
bool page_next(struct page *page, const struct slice **ret_parts, size_t *ret_count);
