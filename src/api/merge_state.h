#pragma once

/*
 * A merge on its way, for the files that make it: merge.c leads it, merge_work.c is what may take a
 * thread, merged.c remembers when what was delivered.
 *
 *     read      lines become a batch                               thread when large
 *     gather    the blocks of its families held on to              loop
 *     work      series put into those, a pack made of the result   thread when large
 *     apply     as a push, if the blocks are still those           loop, in slices when large
 *
 * A look has no lines, and all blocks of the group; it takes out what is too old.
 */

#include "api/ack.h"
#include "api/merge.h"
#include "api/merged.h"
#include "api/push_terms.h"
#include "store/push.h"

enum { MERGE_SERIES_A_TURN = 20000 }; /* that are remembered or forgotten on one turn of the loop */

/* A family of the group as it is in the store, or one that is not there yet. */
struct merge_family {
	struct slice name;
	struct slice help;            /* ptr NULL: none */
	struct slice unit;            /* likewise */
	struct block *block;          /* held on to; NULL: the group has no such family */
	struct batch_family *brought; /* NULL: nothing is */
	int64_t pushed_ns;            /* Unix time, of the block */
	bool is_own;                  /* it was last posted by a merge */
	struct batch_family result;
	bool has_changed;
};

struct merge {
	struct job job;
	struct list link; /* while it waits for a thread */
	void (*work)(struct merge *merge);
	void (*then)(struct merge *merge);
	struct merges *merges;
	struct merged *merged;
	struct merge_delivery *delivery; /* NULL: it is a look */
	struct arena arena;
	struct group_key key;
	struct label pairs[2];
	struct push_terms terms;
	struct ingest_counts counts;
	struct slice fault; /* of the first line that was left out */
	struct batch_family
			*known; /* summaries and histograms that the group has, their names and types */
	size_t text_bytes;
	bool is_relabelled;
	struct batch brought;

	/* From here on anew with each attempt. */
	struct arena attempt;
	struct merge_family *families;
	size_t family_count;
	size_t held_bytes;
	uint64_t contents_id; /* of the store's, that the blocks are of */
	uint64_t room;        /* for series that are new */
	uint64_t over;        /* series for which there was none */
	uint64_t now_ns;      /* monotonic */
	int64_t now_wall_ns;
	struct merge_series *series; /* that are to be remembered */
	size_t series_count;
	size_t remembered;    /* of them */
	struct batch batch;   /* to be posted */
	bool is_put;          /* it is all that is left of the group */
	struct slice culprit; /* a family that contradicts itself; ptr NULL: none */
	enum prepare_result prepare;
	struct prepared_push prepared;
	struct store_push op;
	struct ack ack;
};

/* ---- merges.c ---- */

/* In two labels of the caller's; the value may lie in the arena. */
struct group_key merges_key(
		struct slice instance, struct label pairs[static 2], struct arena *arena);

/* Nothing is going on with the group: begins with what waits for that. */
void merges_go_on(struct merges *merges, struct merged *merged);

/* ---- merge.c ---- */

/* Nothing may be going on with the group. A delivery that is NULL: a look. */
void merge_begin(struct merges *merges, struct merged *merged, struct merge_delivery *delivery);

/* ---- merge_gather.c ---- */

/* What the group has in that family; NULL: nothing. */
struct block *merge_find_block(const struct merge *merge, struct slice name);

/*
 * What cannot be taken for its type alone is told before any work is done: a host may bring
 * hundreds of names that others push with types.
 */
void merge_reject_types(struct merge *merge);

/* Holds on to the blocks that the work needs. The group is NULL if there is none. */
void merge_gather(struct merge *merge, const struct group *group);

/* ---- merge_reject.c ---- */

/* Their lines are counted; the family stays in the batch, empty, until those are dropped. */
void merge_reject_family(struct merge *merge, struct batch_family *family,
		enum ingest_reason reason, struct slice why);
void merge_drop_rejected(struct merge *merge);

void merge_reject_all(struct merge *merge, enum ingest_reason reason, struct slice why);
void merge_reject_named(
		struct merge *merge, struct slice name, enum ingest_reason reason, struct slice why);

/* ---- merge_work.c ---- */

/* Before the lines are read. On the loop. */
void merge_know_group(struct merge *merge);

/* On any thread. */
void merge_read(struct merge *merge);
void merge_work(struct merge *merge);
