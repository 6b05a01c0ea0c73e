#pragma once

/*
 * What is inside a header's value: elements between commas, parameters between
 * semicolons (RFC 9110, section 5.6). Separators within quotes do not separate.
 *
 *	text/plain; version="0.0.4"; q=0.5, application/json
 */

#include <stdbool.h>

#include "base/slice.h"

/* Cuts the text up to the separator, or all, off the front of the rest; trimmed. */
struct slice field_take(struct slice *rest, char separator);

/*
 * Cuts `name=value;` off the front; false when nothing is left. The value is
 * without its quotes, and empty when there is no '='.
 */
bool field_take_parameter(struct slice *rest, struct slice *ret_name, struct slice *ret_value);
