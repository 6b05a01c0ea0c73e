#pragma once

/* Names of the files around a database. */

#include <stdbool.h>

/* Without symbolic links; owned. NULL: it leads nowhere; see errno. */
char *sqlite_path_resolve(const char *path);

/* Removes the file of that name, if there is one. False: see errno. */
bool sqlite_path_remove(const char *path, const char *suffix);
