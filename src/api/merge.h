#pragma once

/*
 * Deliveries: parts of what a host measures, which are merged into its group, series by series,
 * where a push would replace families.
 *
 * What is in the store is what counts. A delivery reads the families that it brings series of, puts
 * these in, and posts the families that have changed, by the way of a push: with its rules, limits
 * and checks, and answered when it is durable. So it makes no difference who else changes the
 * group, or that weir was started anew. What is refused are lines, counted by reason; the others
 * are taken.
 *
 * Of each series only the time is remembered when it was delivered. A series that is not delivered
 * again within the time to live goes, one that is pushed otherwise stays as long as it is; the
 * group ends as any other that has a time to live. See merge_state.h for how.
 */

#include "api/api.h"
#include "ingest/lines.h"

enum merge_result {
	MERGE_STORED,  /* and durable; or nothing of it could be taken */
	MERGE_LATER,   /* not now; whether anything of it is in the store is not known */
	MERGE_UNKNOWN, /* its target is not known, and only known ones may push */
};

/* Lives with who delivers until `done` is called, which happens once, never in merge_deliver(). */
struct merge_delivery {
	struct slice instance; /* UTF-8, not empty; the job is always "node" */
	const struct slice *texts;
	size_t text_count;
	/* The counts are set; `why` is a sentence, until it returns: of a delivery that is put off why,
	 * of another one what is wrong with the first line that was left out, or ptr NULL. */
	void (*done)(struct merge_delivery *delivery, enum merge_result result, struct slice why);
	struct ingest_counts counts;
	/* The merges' own. */
	struct merges *merges;
	struct job job;
	struct list link; /* while it waits for another one to that group */
};

struct merges {
	struct api *api;
	int64_t ttl_ns;
	struct slice format;    /* that targets are said to push */
	struct map by_instance; // merged::node
	struct list all;        // merged::link
	struct list waiting;    // merge::link, for a thread
	size_t running;         /* on threads */
	size_t looking;         /* groups that are gone through */
	size_t working;         /* deliveries and looks, but for those that wait to be durable */
};

void merges_init(struct merges *merges, struct api *api, int64_t ttl_ns, struct slice format);

/* Nothing may be working. */
void merges_finish(struct merges *merges);

/* Whether a delivery to that group may be merged, as far as its target goes. */
bool merges_admit(const struct merges *merges, struct slice instance);

void merge_deliver(struct merges *merges, struct merge_delivery *delivery);

/* From time to time: begins to take out series whose time is over. */
void merges_step(struct merges *merges);
