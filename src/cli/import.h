#pragma once

/*
 * weir import: puts groups into a running weir, from an export or from another
 * source.
 */

#include <stddef.h>

/* The arguments behind "import". Answers the exit code. */
int import_run(size_t argument_count, const char *const *arguments);
