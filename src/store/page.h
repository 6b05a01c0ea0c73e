#pragma once

/*
 * The scrape page: text format 0.0.4, written from one version of the store in
 * pieces, families in name order, each with one HELP and TYPE.
 *
 * Small blocks are copied into a buffer, with the next ones prefetched; larger
 * ones are referred to where they lie, for a vectored write.
 */

#include "base/buf.h"
#include "store/snapshot.h"

enum {
	PAGE_PIECE_BYTES = 128 * 1024,
	PAGE_PARTS_MAX = 64,
};

enum page_step {
	PAGE_FAMILY, /* on to the next family */
	PAGE_HEADER,
	PAGE_OWN_LINES,
	PAGE_TIMES,
	PAGE_BLOCKS,
	PAGE_END,
};

struct page {
	struct snapshot snapshot;
	const struct slice *own_lines; /* by declaration; the caller's, until page_finish() */
	const struct family_declaration *declarations;
	struct list *family; /* family::in_order */
	enum page_step step;
	uint32_t next;  /* slot, of the family or of the groups */
	uint32_t chunk; /* of the block in the next slot */
	char *buffer;   /* PAGE_PIECE_BYTES */
	size_t used;
	size_t part_start;
	struct buf help; /* a header, or a line that is too long for the buffer */
	struct slice parts[PAGE_PARTS_MAX];
	size_t part_count;
	size_t piece_bytes;
	bool is_full;   /* the piece: nothing more goes in, whatever its size */
	uint64_t bytes; /* produced so far */
};

/*
 * False while a change is being made in slices; see snapshot_open(). own_lines
 * has the rendered lines, possibly none, for each of the store's declarations.
 */
bool page_init(struct page *page, struct store *store, const struct slice *own_lines);
void page_finish(struct page *page);

/* Frees the buffer that is kept from one page to the next. */
void page_release_spare(void);

/*
 * Sets the next piece's parts, valid until the next call. False at the end.
 */
bool page_next(struct page *page, const struct slice **ret_parts, size_t *ret_count);
