#pragma once

/*
 * A grouping key as text, by which Redis knows the group: "instance"="a","job"="b". Names
 * and values are escaped as everywhere (model/labels.h), so the text is unique.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/group_key.h"

void group_name_append(struct buf *out, const struct labels *key);

/* The key, in the arena, its texts in the name. False: that is no such text. */
bool group_name_read(struct slice name, struct arena *arena, struct group_key *ret_key);
