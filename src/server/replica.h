#pragma once

/*
 * Which weir this is: a name for good, in the file `replica` of its data directory. What several
 * weirs share is told apart by it.
 */

#include "targets/target_id.h"

struct server;

/* Made at the first start. Where it cannot be written, it is another one at the next, as the log
 * says. */
void replica_find(const struct server *server, char ret_text[static TARGET_ID_TEXT + 1]);
