#pragma once

/*
 * What a Pushgateway's API says of the gateway itself:
 *
 *     {"status":"success","data":{"build_information":{"version":"1.5.1",..},
 *      "flags":{"web.telemetry-path":"/metrics",..},..}}
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

struct gateway_status {
	struct slice version; /* empty: it is not said */
	struct slice page;    /* where its page is, behind its prefix */
};

/* In the arena. False when the text says nothing of the kind. */
bool gateway_status_read(struct slice text, struct arena *arena, struct gateway_status *ret_status);
