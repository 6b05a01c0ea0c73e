#pragma once

/*
 * Clean paths: what Go's path.Clean leaves, with the slash at the end kept.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

/* It begins with a slash and has no part that is empty, "." or "..", but maybe an empty last one.
 */
bool clean_path_is(struct slice path);

/* The clean form, in the arena. */
struct slice clean_path(struct slice path, struct arena *arena);
