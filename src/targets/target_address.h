#pragma once

/*
 * Addresses as targets have them: host:port, [host]:port or a host alone.
 */

#include <stdbool.h>

#include "base/slice.h"

/* It has nothing but what may be in an address. */
bool target_address_fits(struct slice address);

/* Without brackets; ptr NULL: a bracket is not closed. */
struct slice target_address_host(struct slice address);
