#pragma once

/*
 * weir probe: asks a weir whether it is ready, for health checks of containers,
 * balancers and scripts. Its exit code is the answer.
 */

#include <stddef.h>

/* The arguments behind "probe". Answers the exit code. */
int probe_run(size_t argument_count, const char *const *arguments);
