#pragma once

/*
 * Runs jobs: on libuv's threads, a slice at each turn of the loop, or later.
 */

#include <stddef.h>
#include <uv.h>

#include "base/job.h"
#include "base/list.h"
#include "net/turn.h"

struct worker {
	struct executor executor; /* hand this to whoever has jobs */
	uv_loop_t *loop;
	struct turn turn;
	uv_timer_t timer;     /* for the first of those put off */
	struct list deferred; // task::link
	struct list put_off;  // task::link, the earliest first
	struct list spares;   // task::link
	size_t spare_count;
	size_t submitted; /* jobs on threads */
	int open_handles; /* the turn and the timer */
	bool closing;
	void (*on_closed)(struct worker *worker);
};

void worker_open(struct worker *worker, uv_loop_t *loop);

/* Nothing is under way, or put off but to look at it then. */
bool worker_is_idle(const struct worker *worker);

/*
 * Jobs that were handed in are done first, without waiting for the time of
 * those that were put off. on_closed is called from the loop
 * and may free the worker; it may be NULL.
 */
void worker_close(struct worker *worker, void (*on_closed)(struct worker *worker));
