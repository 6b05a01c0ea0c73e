#pragma once

/*
 * Times as both databases write them and take them: ISO 8601 to the microsecond, in UTC.
 * PostgreSQL's timestamptz has no finer ones, and SQLite's functions read them.
 *
 *     2026-11-27 15:51:44.123456Z
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { STORAGE_TIME_BYTES = 40 };

/* Unix time in nanoseconds; what is less than a microsecond is left out. */
struct slice storage_time_write(int64_t ns, char text[static STORAGE_TIME_BYTES]);

/*
 * Also with a T in the middle, with fewer or more digits, with an offset (+01, +01:30,
 * +0130) or without any, which is UTC. False: it is no time, or not one of an int64.
 */
bool storage_time_read(struct slice text, int64_t *ret_ns);
