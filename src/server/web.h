#pragma once

/*
 * What --web.config.file says about requests: rate limit, headers, users.
 */

#include <stdbool.h>

#include "server/parts.h"

/* Reads the file, if there is one, and obeys it. False: the log says what is wrong. */
bool web_load(struct server *server);

/*
 * From now on this is in force, all of it, for requests to come; of the config
 * nothing is kept. At any time, from the loop thread.
 */
void web_apply(struct server *server, const struct web_config *config);
