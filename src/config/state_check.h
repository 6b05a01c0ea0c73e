#pragma once

/*
 * Settings of --state.* that fit each by itself, but not together.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "config/config.h"

/* What does not fit is appended, a line each. */
bool state_check(const struct config *config, struct buf *errors);

/* The same for --ingest.redis-lists. */
bool lists_check(const struct config *config, struct buf *errors);
