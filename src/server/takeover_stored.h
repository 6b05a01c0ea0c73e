#pragma once

/*
 * What takeover_state.h asks for, as the state is written to a file on disk.
 */

#include "server/parts.h"

void takeover_stored_init(struct server *server);

/* When the takeover is complete: what was taken is kept from now on. */
void takeover_stored_adopt(struct server *server);
