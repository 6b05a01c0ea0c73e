#pragma once

/*
 * How long a group lives after a push: `?ttl=`, else the header Weir-TTL, else
 * what holds for the job; then the cap, also for pushes that asked for none.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/exchange.h"

/* What holds for a job's groups. */
struct ttl_rule {
	int64_t usual_ns; /* when the push asks for none; 0: they do not expire */
	int64_t max_ns;   /* 0: no cap */
};

/*
 * *ret_ttl_ns: 0 for ever. False when what the client wrote is no duration;
 * the text says what is wrong, without a line feed.
 */
bool ttl_of_exchange(const struct ttl_rule *rule, struct exchange *exchange, int64_t *ret_ttl_ns,
		struct slice *reterr_text);
