#pragma once

/*
 * What a mistyped flag may have meant.
 */

#include "base/slice.h"

/* The flag whose name is nearest, without its dashes; NULL when none is near. */
const char *suggest_flag(struct slice name);
