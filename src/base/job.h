#pragma once

/*
 * Work that would hold up the loop: done on another thread, or a slice at a
 * time. The rooms below net know the loop by this alone; a unit test runs
 * jobs on the spot.
 */

#include <stdbool.h>
#include <stdint.h>

struct job {
	/* On a worker thread; NULL for a job that is only put off. */
	void (*work)(struct job *job);
	/* Afterwards, on the loop thread. The job is its own again. */
	void (*done)(struct job *job);
	/* Of one that is done later: it only looks whether something takes too long. */
	bool is_watch;
};

struct executor {
	/* Calls work on another thread, then done. */
	void (*submit)(struct executor *executor, struct job *job);
	/* Calls done on one of the next turns of the loop, after input was served. */
	void (*defer)(struct executor *executor, struct job *job);
	/* Calls done on the loop thread when that time is over; sooner when weir ends. */
	void (*later)(struct executor *executor, struct job *job, uint64_t ms);
};

static inline void executor_submit(struct executor *executor, struct job *job)
{
	executor->submit(executor, job);
}

static inline void executor_defer(struct executor *executor, struct job *job)
{
	executor->defer(executor, job);
}

static inline void executor_later(struct executor *executor, struct job *job, uint64_t ms)
{
	executor->later(executor, job, ms);
}
