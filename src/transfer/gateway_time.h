#pragma once

/*
 * Times as a Pushgateway's API has them: RFC 3339 with up to nine decimals,
 * 2026-11-20T07:55:40.637187111+01:00, and as floats, 1.795e+09.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Unix time in ns. False when it is no time, or none between 1970 and 2262. */
bool gateway_time_parse(struct slice text, int64_t *ret_ns);

/*
 * The time that a gauge of times says: 0 for a gauge of 0, which is never. The
 * float is good to some hundred nanoseconds; the stamp that the gateway gave the
 * gauge is exact, and counts if it is the same time.
 */
int64_t gateway_time_of_gauge(double seconds, struct slice stamp);
