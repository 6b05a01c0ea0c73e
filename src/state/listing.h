#pragma once

/*
 * Lists what there is to write of one version of the store: units of groups,
 * which a thread writes while the store goes on.
 *
 * What is not exposed comes last, oldest first. So whoever imports it in that order
 * and refuses what contradicts something takes all that was exposed.
 */

#include "base/arena.h"
#include "base/list.h"
#include "state/record.h"
#include "store/walk.h"

/* Groups that are written in one go. */
struct listing_unit {
	struct list link;
	struct list records; // listed_record::link
	struct arena arena;
	size_t bytes; /* of their blocks, about */
};

struct listed_record {
	struct list link;
	struct record_source source;
	int64_t order; /* of what is not exposed */
};

struct listing {
	struct walk walk;
	struct list units; // listing_unit::link, in the order of writing; the last is being filled
	struct listing_unit *late; /* what is not exposed */
	size_t late_count;
	int64_t wall_ahead_ns; /* of the monotonic clock, when the listing began */
	bool is_walked;        /* only `late` is left, or nothing */
};

enum listing_result {
	LISTING_UNIT,  /* here is one */
	LISTING_AGAIN, /* a slice is done: call again on another turn of the loop */
	LISTING_END,
};

/* False while a change is being made in slices: try again on another turn. */
bool listing_begin(struct listing *listing, struct store *store);

/* A unit is the caller's, to be given to listing_unit_destroy() on any thread. */
enum listing_result listing_next(struct listing *listing, struct listing_unit **ret_unit);
void listing_unit_destroy(struct listing_unit *unit);

/* When all units are gone. */
void listing_end(struct listing *listing);
