#pragma once

/*
 * Values of weir's own metrics that its parts keep.
 */

#include "server/parts.h"

/* For stats::collect; data is the server. */
void collect_stats(void *data, struct stats *stats);
