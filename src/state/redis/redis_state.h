#pragma once

/*
 * A state that several weirs share: groups in Redis, Valkey or a Redis Cluster. Each weir
 * has all groups in memory, tells the others through Redis what is pushed to it,
 * and hears from them what is pushed there. docs/replicas.md has what that promises.
 */

#include <stdbool.h>
#include <uv.h>

#include "redis/client.h"
#include "state/record.h"
#include "state/state.h"

struct redis_state_options {
	struct redis_options redis;
	const char *prefix; /* of all keys; outlives the state */
	struct record_checks checks;
	bool accepts_outages;   /* changes are taken as durable while Redis is away */
	unsigned wait_replicas; /* of Redis, that have to have a change */
	uint64_t wait_ms;       /* for them */
	uint64_t tombstone_ms;  /* that a deletion is remembered */
	uint64_t stream_length; /* changes that are kept for others to read, about */
};

struct state *redis_state_open(const struct redis_state_options *options, uv_loop_t *loop,
		struct store *store, const struct state_events *events);
