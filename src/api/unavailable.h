#pragma once

/*
 * Requests that cannot be carried out at present, but may be later.
 */

#include "api/api.h"
#include "api/route.h"

/* Answers the exchange with status 503, and counts that as the endpoint's. */
void unavailable_answer(
		struct api *api, struct exchange *exchange, enum endpoint endpoint, struct slice text);

/* What tells a client to try again soon. */
void unavailable_add_retry(struct exchange *exchange);
