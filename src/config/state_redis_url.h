#pragma once

/*
 * The Redis half of --state.url: see state_url.h.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "config/state_url.h"

/* The text begins with a scheme of Redis, known or not. */
bool state_redis_url_begins(const char *text);

/* Cuts the url's own text, an intact copy, into the rest. False: `error` says why. */
bool state_redis_url_split(struct state_url *url, struct buf *error);
