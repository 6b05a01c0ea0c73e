#pragma once

/*
 * Looks up the names of targets of mode dns: at once when they are new, and again
 * and again.
 *
 * What a name stands for goes when the name is gone. When it cannot be looked up, say
 * since the name server is away, it stays as it was. Each name is looked up on a thread
 * of libuv, a few at a time, with what the system is set up to ask.
 */

#include <stdint.h>
#include <uv.h>

#include "targets/registry.h"

struct resolver;

struct resolver_options {
	uv_loop_t *loop;
	struct registry *registry;
	int64_t interval_ns; /* between two look-ups of a name */
};

struct resolver *resolver_open(const struct resolver_options *options);

/* From each name's next look-up on. */
void resolver_set_interval(struct resolver *resolver, int64_t interval_ns);

/* The loop goes on until the look-ups that are under way are over; the registry is left alone. */
void resolver_close(struct resolver *resolver);

struct resolver_stats {
	uint64_t lookups;
	uint64_t failures; /* of them; a name that is gone is none */
};

void resolver_collect(const struct resolver *resolver, struct resolver_stats *ret_stats);
