#pragma once

/*
 * Which format a page is in.
 */

#include "format/format.h"

/* False when there is no format of that name. */
bool check_format_find(const char *name, enum format_id *ret_format);

/* By what a page begins and ends with; text when it could be anything. */
enum format_id check_format_guess(struct slice body);
