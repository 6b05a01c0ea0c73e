#pragma once

/*
 * How long a group lives after a push: `?ttl=`, else the header Weir-TTL, else
 * the server's default; then the cap, also for pushes that asked for none.
 */

#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"

/*
 * *ret_ttl_ns: 0 for ever. False when what the client wrote is no duration;
 * the text says what is wrong, without a line feed.
 */
bool ttl_of_exchange(const struct api_options *options, struct exchange *exchange,
		int64_t *ret_ttl_ns, struct slice *reterr_text);
