#pragma once

/*
 * The target of a request line: what path and query it names.
 *
 *	/metrics/job/a%20b?ttl=1h     origin-form: the usual
 *	http://host:9091/metrics      absolute-form: as sent to a proxy; path is /metrics
 *	*                             for OPTIONS only
 *	host:443                      authority-form, for CONNECT only; the path is empty
 *
 * A '#' is a byte of the path like any other, and so is '+'.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"
#include "http/exchange.h"

/*
 * Fills in paths and query by target and method; the path lies in the target
 * where nothing had to be decoded, else in the arena. False when the target
 * is none, or has a '%' without two hexadecimal digits in its path.
 */
bool http_target_split(struct http_request *request, struct arena *arena);

/* Percent-decoded once. False when an escape is broken. */
bool http_percent_decode(struct slice text, struct arena *arena, struct slice *ret_decoded);
