#pragma once

/*
 * The whole of a file in memory.
 */

#include "base/buf.h"

/* Larger ones are not read: a page of that size is a mistake, or endless. */
enum { CHECK_INPUT_MAX_MIB = 1024 };

/*
 * Reads the file, "-" being standard input. Answers 0, or a negative errno:
 * -EFBIG when it is too large. The buf is initialised in any case.
 */
int check_input_read(const char *file, struct buf *ret_body);
