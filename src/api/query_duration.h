#pragma once

/*
 * Durations as Prometheus' API takes them: seconds, 1.5, or 1h30m, with units from y to
 * ms in their order. Only numbers may be below 0.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* In nanoseconds. False when it is no duration, or one that is too long for that. */
bool query_duration_parse(struct slice text, int64_t *ret_ns);
