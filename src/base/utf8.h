#pragma once

/*
 * UTF-8 as Go's unicode/utf8 sees it: no surrogates, nothing above U+10FFFF,
 * no overlong forms (RFC 3629).
 */

#include <stdbool.h>

#include "base/slice.h"

bool utf8_is_valid(struct slice text);

/* Characters in valid UTF-8. */
size_t utf8_count(struct slice text);

/*
 * Length in bytes of the valid sequence at the start of the text, which is
 * not empty; 0 when none starts there.
 */
size_t utf8_sequence(struct slice text);
