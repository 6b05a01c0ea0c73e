#pragma once

/*
 * What --web.config.file says about requests: rate limit, headers, users. A new
 * file is obeyed as a whole by requests to come; of the file nothing is kept.
 */

#include "server/parts.h"

/* Has the gate go by the file; before it is read. */
void web_subscribe(struct server *server);
