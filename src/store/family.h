#pragma once

/*
 * Families: every metric name there is, in name order, with a slot for each
 * group that has samples of it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "base/slice.h"
#include "base/tree.h"
#include "model/batch.h"
#include "store/shape.h"
#include "store/slots.h"

/*
 * HELP and UNIT that blocks of a family came with, at least one of the two. The
 * ones exposed are the smallest that an exposed block has, so that they do not
 * depend on who came first.
 */
struct metadata {
	RB_ENTRY(metadata) order; /* by help, then unit; without help last */
	struct family *family;
	uint32_t refs;     /* blocks that refer to it */
	uint32_t exposed;  /* of them, those exposed now */
	struct slice help; /* ptr NULL: none */
	struct slice unit; /* likewise */
};

RB_HEAD(metadata_tree, metadata);

/* Where the lines come from that weir itself has in a family. */
enum declaration_source {
	DECLARATION_OWN,           /* whoever opens a page brings them */
	DECLARATION_PUSH_TIMES,    /* from the groups */
	DECLARATION_FAILURE_TIMES, /* from the groups */
	DECLARATION_NOTHING,       /* only the type is settled */
	DECLARATION_YIELDING,      /* as OWN, but what it is, is up to who pushes it */
};

/* What weir itself says about a family: fixed, whoever pushes to it. */
struct family_declaration {
	struct slice name;
	enum metric_type type;
	enum declaration_source source;
	struct slice help;    /* ptr NULL: any */
	bool help_must_match; /* a push with another help is refused */
};

struct group;

struct family {
	struct map_node node;
	RB_ENTRY(family) order;
	struct list in_order; /* the same order, to walk along */
	struct slice name;
	const struct family_declaration *declaration; /* NULL: none */
	uint32_t id;                                  /* of its own; members are sorted by it */
	enum metric_type type;                        /* of what is exposed */
	enum metric_type claimed_type;                /* of what is claimed */
	uint32_t exposed;                             /* blocks */
	uint32_t exposed_by_type[METRIC_TYPE_COUNT];  /* of them */
	uint64_t types_born;                          /* the version that these are from */
	uint32_t exposed_openmetrics;                 /* of them, those pushed as OpenMetrics */
	uint32_t exposed_quoted;                      /* of them, those with names in quotes */
	uint32_t shadowed;                            /* blocks */
	uint32_t claims;                              /* pushes that are being checked */
	uint32_t claims_openmetrics;                  /* of them, those of OpenMetrics */
	uint32_t kept;                                /* entries of the history that are of it */
	struct slots slots;
	struct shape_counts shapes; /* of exposed blocks */
	/* Whose exposed block comes before all others, see order.h; NULL: to be looked for. */
	const struct group *first;
	int64_t first_since_ns; /* of that block */
	struct metadata_tree metadata;
	struct list quoted; /* among families whose name needs quotes; else unlinked */
};

RB_HEAD(family_tree, family);

struct families {
	struct map by_name;
	struct family_tree tree;
	struct list in_order; /* family::in_order */
	struct list quoted;   /* family::quoted, in no order */
	uint32_t next_id;
	uint32_t *freed_ids; /* of families that went, to be used again */
	uint32_t freed_count;
	uint32_t freed_capacity;
	uint32_t len;
};

/* weir itself has lines in it, and says what it is. */
static inline bool family_is_settled(const struct family *family)
{
	return family->declaration != NULL && family->declaration->source != DECLARATION_NOTHING
			&& family->declaration->source != DECLARATION_YIELDING;
}

/* weir itself may have lines in it, and says nothing else. */
static inline bool family_is_yielding(const struct family *family)
{
	return family->declaration != NULL && family->declaration->source == DECLARATION_YIELDING;
}

/* It has a line for each group. */
static inline bool family_has_times(const struct family *family)
{
	return family->declaration != NULL
			&& (family->declaration->source == DECLARATION_PUSH_TIMES
					|| family->declaration->source == DECLARATION_FAILURE_TIMES);
}

void families_init(struct families *families);
void families_finish(struct families *families);

/* NULL when there is none. */
struct family *families_find(const struct families *families, struct slice name, uint64_t hash);

/* A new one, untyped and empty. The name is copied. */
struct family *families_add(struct families *families, struct slice name, uint64_t hash);

/* Frees an empty family. */
void families_remove(struct families *families, struct family *family);

/* Nothing refers to it any more but the table itself. */
bool family_is_unused(const struct family *family);

/* What metadata of these texts takes. */
size_t metadata_bytes(struct slice help, struct slice unit);

/* Whether there is such metadata, or nothing to be there. */
bool family_has_metadata(struct family *family, struct slice help, struct slice unit);

/* With one reference more; NULL when there is neither help nor unit. */
struct metadata *family_enter_metadata(struct family *family, struct slice help, struct slice unit);
void family_leave_metadata(struct metadata *metadata);

/*
 * The smallest help, or unit, of an exposed block; without any, of a block that
 * a running scrape still sees. ptr NULL when none has one.
 */
struct slice family_help(struct family *family);
struct slice family_unit(struct family *family);
