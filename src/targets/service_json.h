#pragma once

/*
 * A service as JSON: what it sets, what comes of that with its parents, and what is wrong.
 */

#include "base/buf.h"
#include "targets/service.h"

/* For problems among dependencies so many services are looked at. */
void service_json_append(struct buf *out, const struct registry *registry,
		const struct target *target, size_t looked_at_max);
