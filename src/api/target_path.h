#pragma once

/*
 * Where a target's page is: the path of its key, as pushes have it.
 */

#include "base/buf.h"
#include "model/group_key.h"

/*
 * /metrics/target/job/JOB/instance/INSTANCE/... What could not stand in a path, whoever
 * encodes or cleans it, is in base64: nothing needs to be escaped.
 */
void target_path_append(struct buf *out, const struct group_key *key, struct arena *arena);
