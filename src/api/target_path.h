#pragma once

/*
 * Where a target's page is: the path of its key, as pushes have it.
 */

#include "base/buf.h"
#include "targets/target.h"

/*
 * /metrics/target/job/JOB/instance/INSTANCE/... What could not stand in a path, whoever
 * encodes or cleans it, is in base64: nothing needs to be escaped. A label whose name looks
 * like another's that is escaped has no such path: then it is /metrics/ID.
 */
void target_path_append(struct buf *out, const struct target *target, struct arena *arena);
