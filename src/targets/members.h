#pragma once

/*
 * The instances of services: targets with a label `service`, or else an attribute of that name,
 * whether there is such a service or not. How many of them are active is counted as the registry
 * counts states.
 */

#include "targets/registry.h"

/* It has become another one, in its labels or its configuration, or is new. */
void members_join(struct registry *registry, struct target *target);
void members_leave(struct registry *registry, struct target *target);

/* It is about to be counted under another state, or was just now. */
void members_count_out(struct target *target);
void members_count_in(struct target *target);

/* Of a service, by its name. */
size_t members_active(const struct registry *registry, struct slice name);

/* What its service, if that is active, expects of it; 0: nothing, or it is of none. */
int64_t members_heartbeat_ns(const struct target *target);
