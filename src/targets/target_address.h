#pragma once

/*
 * Addresses as targets have them: host:port, [host]:port or a host alone. A host is a
 * name, an IPv4 address or an IPv6 address.
 */

#include <stdbool.h>

#include "base/slice.h"

/* One that can be connected to, if somebody is there; an IPv6 address may stand without brackets.
 */
bool target_address_fits(struct slice address);

/* Of a host alone, without brackets. */
bool target_address_is_host(struct slice host);

bool target_address_is_v6(struct slice host);

/* Without brackets; ptr NULL: a bracket is not closed. */
struct slice target_address_host(struct slice address);
