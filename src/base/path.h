#pragma once

/* Names of files, and that what was done to them stays so. */

#include <stdbool.h>

/* The name with something behind it; owned. */
char *path_join(const char *path, const char *suffix);

/* Without symbolic links; owned. NULL: it leads nowhere; see errno. */
char *path_resolve(const char *path);

/*
 * The directory that the path is in, to disk: what was made, renamed and removed there
 * stays so. False: see errno.
 */
bool path_sync_directory(const char *path);

/* Removes the file of that name, with something behind it, if there is one. False: see errno. */
bool path_remove(const char *path, const char *suffix);
