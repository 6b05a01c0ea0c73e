#pragma once

/*
 * Drains the lists of a Redis: what others append to them is read from their heads, given to who
 * stores it, and taken off when it is stored.
 *
 * Round after round all lists are looked for with SCAN, and drained side by side, each a part at a
 * time. Nothing is taken off but the very elements that were read, if they are still at the head:
 * so who else drains the same lists, whatever it is, costs nobody anything. What was stored but not
 * taken off, because weir or Redis ended in between, comes again.
 *
 * Several whose store is shared drain the same lists one at a time, by a lease in the same
 * database: parts of one host that two of them read at once would overtake each other on the way to
 * the store.
 *
 * Faults end the round, are told once, and lead to another one after a growing time. On the loop
 * thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "redis/client.h"

struct drain;

/* What was read of one list, until it is settled. */
struct drain_part {
	struct slice key;
	const struct slice *elements;
	size_t count;
	void *data; /* of who stores it */
};

struct drain_options {
	struct redis_options redis;
	const char *match;  /* a glob that keys have to match; "*": all */
	const char *holder; /* of the lease: who this is, the same after a restart */
	uint64_t interval_ms;
	size_t element_bytes; /* what has more is taken off unread */
	bool is_shared;       /* others may drain the same lists into the same store */
};

struct drain_events {
	/* Whether to go on now; asked often. */
	bool (*is_ready)(void *data);
	/* Whether a list of that key can be stored at all. */
	bool (*fits)(void *data, struct slice key);
	/* To be settled later, not in this call. */
	void (*on_part)(void *data, struct drain_part *part);
	/* After it was settled as stored: it was taken off, or else another one did that. It goes now.
	 */
	void (*on_taken_off)(void *data, struct drain_part *part, bool is_taken_off);
	/* An element was taken off unread. */
	void (*on_too_large)(void *data, struct slice key, uint64_t bytes);
	/* Once for each outage, and its end. */
	void (*on_trouble)(void *data, struct slice why);
	void (*on_well)(void *data);
	/* One list could not be read, or the part of it not taken off. */
	void (*on_fault)(void *data, struct slice key, struct slice why);
	void (*on_closed)(void *data);
	void *data;
};

enum drain_verdict {
	DRAIN_STORED,
	DRAIN_LATER,  /* nothing goes on until some time has passed */
	DRAIN_UNREAD, /* this list is left alone for this round */
};

/* The options' texts outlive it. */
struct drain *drain_open(
		const struct drain_options *options, uv_loop_t *loop, const struct drain_events *events);

/* Every part that is not settled yet is to be settled no more. The lease is given back if asked
 * for. */
void drain_close(struct drain *drain, bool gives_back);

void drain_settle(
		struct drain *drain, struct drain_part *part, enum drain_verdict verdict, struct slice why);

/* Nothing more is read until it goes on. */
void drain_pause(struct drain *drain);
void drain_resume(struct drain *drain);

/* Nothing that was read is on its way. */
bool drain_is_at_rest(const struct drain *drain);

struct drain_stats {
	uint64_t rounds;
	uint64_t lists;    /* in the last whole round */
	uint64_t elements; /* taken off */
	uint64_t bytes;
	uint64_t faults; /* errors of any kind */
	bool is_connected;
	int64_t seen_ns; /* Unix time when it was last connected; 0: never */
	bool is_holder;
};

void drain_collect(const struct drain *drain, struct drain_stats *ret_stats);
