#pragma once

/*
 * --ingest.redis-lists: the Redis whose lists are drained.
 *
 *     none      nothing is drained
 *     else      a Redis as in state_url.h, but without a prefix: keys are what others call them
 */

#include <stdbool.h>

#include "base/buf.h"

/* For the table: whether it is such a URL. If not, `error` says why. */
bool lists_url_check(const char *text, struct buf *error);

/* There is one. */
bool lists_url_is_given(const char *text);
