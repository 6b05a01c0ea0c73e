#pragma once

/*
 * A Redis that settings name, as its client wants it: what all settings of that kind share.
 */

#include <stdbool.h>

#include "config/state_url.h"
#include "redis/client.h"

/* Its servers, without what is secret; owned. */
char *redis_place_name(const struct state_url *url);

/* The password is in a file, unless the path is empty. False: the log says why not. */
bool redis_place_read_password(struct state_url *url, const char *path);

/* Of the url, which outlives the client as well; owned. */
struct redis_address *redis_place_addresses(const struct state_url *url);

/* All that the url says; times and TLS files are to be set. */
struct redis_options redis_place_options(
		const struct state_url *url, const struct redis_address *addresses);
