#pragma once

/*
 * Decimal numbers as OpenMetrics writes them, compared exactly: counts and
 * timestamps may have more digits than a double keeps.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

/* Whether the text is a number that is neither infinite nor NaN. */
bool openmetrics_is_real(struct slice text);

/* Whether it is that and has no fraction: 3, 3.0, 30e-1. */
bool openmetrics_is_whole(struct slice text);

/* <0, 0 or >0; for texts that are real numbers. */
int openmetrics_compare(struct slice a, struct slice b);

/* A bound in Go's shortest form, so that it has one identity in every format: 1.0 -> 1. */
struct slice openmetrics_shorten(struct arena *arena, struct slice number);
