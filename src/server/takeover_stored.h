#pragma once

/*
 * What takeover_state.h asks for, as the state is written to a file on disk.
 */

#include "server/parts.h"

void takeover_stored_init(struct server *server);
