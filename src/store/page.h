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

/* A family on a part of the page, and the one of its slots that is. */
struct page_place {
	struct family *family;
	uint32_t slot; /* SLOT_NONE: none is, only weir's own lines */
};

enum page_step {
	PAGE_FAMILY, /* on to the next family */
	PAGE_OWN_LINES,
	PAGE_TIMES,
	PAGE_BLOCKS,
	PAGE_END,
};

/* One group's part of the page: see page_part_init(). */
struct page_part {
	struct page_place *places; /* in name order */
	uint32_t place_count;
	uint32_t group_slot; /* SLOT_NONE: there is no group */
};

struct page_options {
	enum page_format format;
	enum escaping escaping;
	const struct slice *own_lines; /* by the store's declarations: rendered lines, possibly none;
	                                * the caller's, until page_finish() */
	const struct page_part *part;  /* NULL: the page is whole; likewise the caller's */
};

struct page {
	struct page_options options;
	struct snapshot snapshot;
	struct names names;
	struct page_head head;   /* of the current family */
	struct page_lines lines; /* likewise */
	const struct family_declaration *declarations;
	struct list *family; /* family::in_order */
	uint32_t place;      /* of the part, the next one */
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

/*
 * What that group has on the page, with weir's own lines as given; group NULL: these
 * alone. In the arena; to be used for a page of the same version of the store.
 */
void page_part_init(struct page_part *part, const struct store *store, const struct group *group,
		const struct slice *own_lines, struct arena *arena);

/* Frees the buffer that is kept from one page to the next. */
void page_release_spare(void);

/*
 * Sets the next piece's parts, valid until the next call. False at the end.
 */
bool page_next(struct page *page, const struct slice **ret_parts, size_t *ret_count);
