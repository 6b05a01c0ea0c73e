#pragma once

/*
 * weir export: writes what a running weir has stored to standard output or a
 * file, and makes sure that all of it came.
 */

#include <stddef.h>

/* The arguments behind "export". Answers the exit code. */
int export_run(size_t argument_count, const char *const *arguments);
