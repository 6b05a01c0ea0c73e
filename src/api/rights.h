#pragma once

/*
 * What somebody has to be allowed to do for a request: to read, to push, or to administer, which
 * is all else that changes something. Whether weir is there and ready, everybody may ask who is let
 * in at all.
 */

#include <stdbool.h>

#include "api/route.h"
#include "http/exchange.h"

/*
 * True when who asks may not, and the exchange has its answer to be given. Else that is settled
 * for this request: nothing is denied to it any more.
 */
bool rights_deny(struct exchange *exchange, const struct route *route);
