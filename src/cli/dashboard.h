#pragma once

/*
 * weir dashboard: makes Grafana's dashboard of a flow's description.
 */

#include <stddef.h>

/* The arguments behind "dashboard". Answers the exit code. */
int dashboard_run(size_t argument_count, const char *const *arguments);
