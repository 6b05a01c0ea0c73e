#pragma once

/*
 * From which number on the rows of a database count. Those below were deleted; they
 * may still be seen on pages that are free.
 */

#include <stdint.h>

#include "state/sqlite/pages.h"

/* 0: it cannot be told. */
int64_t sqlite_floor_find(const struct sqlite_pages *pages);
