#pragma once

/*
 * Who inherits from a service, be it through others. They are found from it downwards, which is one
 * look at each service there is, however deep they are.
 */

#include "targets/service.h"

struct service_heirs {
	const struct target **all;
	size_t count;
};

/* Without the service itself, and without those that are too far below it. In the arena. */
void service_heirs_find(const struct registry *registry, struct slice name, struct arena *arena,
		struct service_heirs *ret_heirs);
