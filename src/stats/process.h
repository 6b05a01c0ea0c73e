#pragma once

/* What the kernel says about this process, read from /proc/self. */

#include <stdint.h>

struct process_stats {
	double cpu_seconds;
	double start_time; /* Unix, seconds */
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t open_fds;
	uint64_t max_fds;
	double virtual_max_bytes; /* without a limit 2^64 - 1, as clients in Go say it */
};

/* Zeros for what cannot be read. */
void process_stats_read(struct process_stats *ret_stats);
