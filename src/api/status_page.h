#pragma once

/*
 * The web page: the source of a body; see worked_body.h.
 *
 *     list     the groups there are                     loop, in slices
 *     select   those of the page, in order              a thread
 *     view     what is in them                          loop
 *     write    HTML                                     a thread
 *
 * Listing and viewing see a version of the store each. What is shown of the
 * groups is of one version, the second: a group that went in between is left
 * out, one that came is not there yet.
 */

#include <stdbool.h>

#include "api/status_order.h"
#include "api/status_view.h"
#include "api/worked_body.h"
#include "store/store.h"

enum status_step {
	STATUS_LISTS,
	STATUS_SELECTS,
	STATUS_VIEWS,
};

struct status_page {
	struct worked_source source; /* its close() is set by whoever has the rest freed */
	struct store *store;
	struct status_view view; /* what is asked for is the caller's to fill in */
	enum status_step step;
	bool is_listing; /* the snapshot is open */
	struct snapshot listed;
	uint32_t next_group; /* slot */
	uint32_t end_group;
	struct status_ref *refs;
	size_t ref_count;
	size_t ref_capacity;
	size_t first; /* of them, on the page */
};

void status_page_init(struct status_page *page, struct store *store);

/* To be called by the source's close(). */
void status_page_finish(struct status_page *page);
