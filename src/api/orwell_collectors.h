#pragma once

/*
 * A collector as it is shown, also among those of an image.
 */

#include "base/buf.h"
#include "targets/registry.h"

void orwell_append_collector(
		const struct registry *registry, struct buf *out, const struct target *collector);
