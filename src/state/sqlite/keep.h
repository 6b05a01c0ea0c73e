#pragma once

/*
 * Keeps a damaged database under another name, which it tells of in PATH.salvage
 * before it does so; see sqlite_salvage.h. Nothing is ever overwritten.
 */

#include <stdbool.h>

#include "base/buf.h"

/*
 * The file and its log are under the name afterwards, and SQLite's own files beside
 * the path are gone. When that was done before, or half of it, the name is the one
 * of then. *ret_kept is owned. False: the buffer says why.
 */
bool sqlite_keep(const char *path, char **ret_kept, struct buf *reterr_why);

/* A new one has taken the place of the path. */
bool sqlite_keep_end(const char *path, struct buf *reterr_why);
