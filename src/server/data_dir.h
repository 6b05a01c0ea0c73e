#pragma once

/*
 * The data directory: one weir a directory. The lock ends with the process.
 */

#include <stdbool.h>

/* Makes the directory if need be and locks it. False: the log says why. */
bool data_dir_lock(const char *dir, int *ret_fd);
