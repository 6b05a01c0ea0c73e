#pragma once

/* Names of the files around a database. */

#include <stdbool.h>

/* The name with something behind it; owned. */
char *sqlite_path_join(const char *path, const char *suffix);

/* Without symbolic links; owned. NULL: it leads nowhere; see errno. */
char *sqlite_path_resolve(const char *path);

/* What was renamed and removed beside it stays so. False: see errno. */
bool sqlite_path_sync_directory(const char *path);

/* Removes the file of that name, if there is one. False: see errno. */
bool sqlite_path_remove(const char *path, const char *suffix);
