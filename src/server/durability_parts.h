#pragma once

/*
 * What keeps groups durably consists of a state, and of what the server has to do for it. For
 * the files of that: durability.c is about any state, the two others about theirs.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "config/state_url.h"
#include "redis/client.h"
#include "server/parts.h"
#include "state/state.h"

struct durability {
	struct server *server;
	struct state *state;
	struct state_url url;
	struct redis_address *addresses; /* of a Redis; owned */
	char *name;           /* of where groups are kept, for the log: a path, or the servers */
	int lock;             /* of a database; -1: none */
	uv_timer_t extension; /* asks systemd for time, at the end */
	bool has_extension;
	char *snapshot;  /* of an earlier version, to be moved into the database; NULL: none */
	uint64_t faults; /* logged */
	bool is_loading;
	bool is_taken_over;             /* from the weir before, which has written it */
	size_t failing_lanes;           /* it was logged that changes are not stored */
	bool is_failing[ACK_LANES_MAX]; /* in which of them */
	bool is_behind;                 /* when it was closed, some were not */
	bool is_unusable;               /* weir ends because of it */
	struct stats_state stats;
	void (*on_closed)(struct server *server);
};

/* The setting does not have its default. */
bool durability_is_given(const struct config *config, const char *name);

/* Everything is in the state that is to be: clients may change it. */
void durability_open_to_changes(struct durability *durability);

/* It cannot be used; weir ends. */
void durability_give_up(struct durability *durability);

/* In the log, with what it is about. */
void durability_report_fault(void *data, const struct state_fault *fault);

/* ---- durability_sqlite.c ---- */

/* The database's path, owned; NULL: there is to be none. */
char *durability_sqlite_path(const struct server *server, const struct state_url *url);

/* Opens it, with its lock; or moves an earlier weir's file into it. False: the log says why not. */
bool durability_sqlite_open(struct durability *durability, const struct state_events *events);

/* Goes on with that, in the loop. False: the log says why not. */
bool durability_sqlite_begin(struct durability *durability);

/* After each commit. */
void durability_sqlite_end_moving(struct durability *durability);

/* ---- durability_redis.c ---- */

bool durability_redis_open(struct durability *durability, const struct state_events *events);
