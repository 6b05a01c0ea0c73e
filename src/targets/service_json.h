#pragma once

/*
 * A service as JSON: what it sets, what comes of that with its parents, and what is wrong.
 */

#include "base/buf.h"
#include "targets/service.h"

void service_json_append(
		struct buf *out, const struct registry *registry, const struct target *target);
