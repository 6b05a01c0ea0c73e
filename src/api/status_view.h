#pragma once

/*
 * What one page of the web page shows, gathered on the loop and written as
 * HTML on a thread.
 *
 * What is read belongs to the store and is seen by a snapshot that is open:
 * then it stays where it is and does not change.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/config.h"
#include "store/group.h"

struct block;

enum {
	STATUS_PAGE_GROUPS = 50,
	STATUS_FAMILIES_MAX = 100, /* of a group; the others are counted */
	STATUS_SAMPLES_MAX = 20,   /* of a family; likewise */
	STATUS_TEXT_BYTES = 300,   /* of a label, help, name or series; the rest is cut */
	STATUS_LABELS_MAX = 40,    /* of a group */
	STATUS_BYTES = 1 << 20,    /* of the page; families that come behind show no samples */
};

struct status_family {
	struct slice name;
	struct slice help; /* escaped; empty: none */
	const struct block *block;
	int64_t pushed_ns;
	bool is_shadowed; /* it contradicts another group and is not exposed */
};

struct status_group {
	struct labels labels;
	struct group_times times;
	uint64_t series;
	struct status_family *families; /* sorted by name */
	size_t family_count;
	size_t more_families; /* beyond these */
};

struct status_view {
	struct slice away;        /* the names of components that are */
	struct slice components;  /* the table of them */
	struct slice flags;       /* the table of settings */
	struct slice link_prefix; /* of links: "/prefix", or "." without one */
	struct slice scrape_path; /* behind it */
	int64_t started_ns;
	int64_t now_ns;
	struct slice job_text; /* groups of this job are shown; empty: all */
	struct slice job;      /* the same, escaped as keys are */
	uint64_t all_groups;   /* there are */
	uint64_t all_series;   /* likewise */
	uint64_t group_total;  /* of the job */
	uint64_t page;         /* from 1 */
	uint64_t page_count;   /* at least 1 */
	struct status_group *groups;
	size_t group_count;
};

/* The table of settings for a page, in the arena. */
struct slice status_view_flags(const struct config *config, struct arena *arena);

/* Sorts the families that are to be shown; works on any thread. */
void status_view_write(struct status_view *view, struct buf *out);
