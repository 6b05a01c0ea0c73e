#pragma once

/*
 * What a mistyped name may have meant: of the candidates the nearest one, if
 * any is near.
 */

#include <stddef.h>

#include "base/slice.h"

struct suggestion {
	struct slice typed;
	const char *name; /* the nearest so far; NULL: none is near */
	size_t distance;
};

struct suggestion suggestion_begin(struct slice typed);
void suggestion_consider(struct suggestion *suggestion, const char *candidate);

/* The flag whose name is nearest, without its dashes; NULL when none is near. */
const char *suggest_flag(struct slice name);
