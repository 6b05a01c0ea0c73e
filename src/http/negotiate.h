#pragma once

/*
 * What a client wants back: Accept-Encoding (RFC 9110, section 12.5.3).
 */

#include <stdbool.h>

#include "base/slice.h"

/*
 * Whether the header allows gzip and ranks it no lower than identity. A lone
 * "*" is not taken for gzip, as Pushgateway does not.
 */
bool http_prefers_gzip(struct slice accept_encoding);
