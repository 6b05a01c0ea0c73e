#pragma once

/*
 * How long it is since something was written, whatever became of the wall clock
 * meanwhile.
 */

#include <stdbool.h>
#include <stdint.h>

struct boot_time {
	int64_t wall_ns;  /* Unix time */
	uint64_t boot_ns; /* since the machine was started */
	char boot_id[16]; /* of that start; zero: unknown */
};

struct boot_time boot_time_now(void);

/*
 * While the machine has not been started again, the clock that nobody can set
 * says it. Otherwise the wall clock does, if what it says is credible: one that
 * went back, or more than a year forward, was set, and nothing is known: 0.
 */
int64_t boot_time_between(const struct boot_time *then, const struct boot_time *now);
