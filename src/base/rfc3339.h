#pragma once

/*
 * Times as RFC 3339 has them, and as Go reads and writes them:
 *
 *     2026-11-20T07:55:40Z     2026-11-20T08:55:40.637187111+01:00
 *
 * What is finer than a nanosecond is left out. There are no leap seconds.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Unix time, of the years 0 to 9999. False when the text is no time. */
bool rfc3339_parse(struct slice text, int64_t *ret_seconds, int32_t *ret_ns);
