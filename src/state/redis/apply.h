#pragma once

/*
 * What was read from Redis, on its way to the store.
 *
 * Items are applied one after the other, in the order in which they were read. What
 * is large is read and rendered on another thread, and what comes behind it waits.
 * Each is joined with what is known of its group: see change.h.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct apply_item;
struct fetch;
struct partition;
struct redis_state;
struct scan;

enum apply_kind {
	APPLY_CHANGE,  /* one change of a group */
	APPLY_GROUP,   /* all that Redis has of one */
	APPLY_WIPE,    /* everything older is gone */
	APPLY_SCANNED, /* all that a scan has read is in front of it */
};

struct apply_item *apply_create(struct partition *partition, enum apply_kind kind);

/* Texts are copied. */
void apply_set_name(struct apply_item *item, struct slice name);

/* A change, or of a whole group its head. */
void apply_set_change(struct apply_item *item, struct slice text);

/* A segment of a whole group. */
void apply_add_content(struct apply_item *item, struct slice id, struct slice content);

void apply_set_wipe(struct apply_item *item, uint64_t version);

/* They are passed when the item is done. */
void apply_set_scan(struct apply_item *item, struct scan *scan);
void apply_set_fetch(struct apply_item *item, struct fetch *fetch);

/*
 * The scan of that number, which began at that version, met what there is. What it did
 * not meet was lost and is sent, or is gone.
 */
void apply_set_scanned(struct apply_item *item, uint64_t number, uint64_t version, bool is_lossy);

/* The item is not the caller's any more. */
void apply_queue(struct apply_item *item);

/* Some of what is queued; true when more can be done on another turn of the loop. */
bool apply_step(struct redis_state *state);

/* At the end; false: something is on another thread yet. */
bool apply_drop_all(struct redis_state *state);
