#pragma once

/*
 * What the files that drain lists share: lists.c opens and closes, lists_events.c
 * does what is to be done with what the drain reads.
 */

#include <uv.h>

#include "api/merge.h"
#include "base/map.h"
#include "config/state_url.h"
#include "drain/drain.h"
#include "targets/target_id.h"

struct lists_skipped;
struct server;

struct lists {
	struct server *server;
	struct drain *drain; /* NULL: it is closed, or about to be */
	struct merges merges;
	struct state_url url;
	struct redis_address *addresses;
	char *name; /* of the Redis, for the log */
	char holder[TARGET_ID_TEXT + 1];
	uv_timer_t timer;
	bool is_paused;
	bool is_closing;
	uint64_t closing_ms;
	void (*on_closed)(struct server *server);
	struct map skipped; // lists_skipped::node
	struct lists_skipped *skipped_first;
	struct ingest_counts counts;
	uint64_t oversized;
	uint64_t complained_ns; /* monotonic; 0: never */
	uint64_t silenced;      /* lines that were left out since */
};

/* What the drain is to call, on_closed excepted. */
struct drain_events lists_events(struct lists *lists);

/* Forgets which lists were left alone. */
void lists_forget_skipped(struct lists *lists);
