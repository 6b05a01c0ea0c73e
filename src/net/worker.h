#pragma once

/*
 * Runs jobs: on libuv's threads, or a slice at each turn of the loop.
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
	struct list deferred; // task::link
	struct list spares;   // task::link
	size_t spare_count;
	size_t submitted; /* jobs on threads */
	bool closing;
	void (*on_closed)(struct worker *worker);
};

void worker_open(struct worker *worker, uv_loop_t *loop);

/*
 * Jobs that were handed in are done first. on_closed is called from the loop
 * and may free the worker; it may be NULL.
 */
void worker_close(struct worker *worker, void (*on_closed)(struct worker *worker));
