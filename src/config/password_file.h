#pragma once

/*
 * A file whose first line is a password.
 */

#include "base/buf.h"

/* Owned. NULL: `error` says why. */
char *password_file_read(const char *path, struct buf *error);
