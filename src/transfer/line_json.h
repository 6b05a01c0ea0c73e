#pragma once

/*
 * One line of JSON as a tree, read with cJSON. What it would let pass or lose
 * is looked for before: text that is not UTF-8, control characters, escapes and
 * numbers that JSON does not know, deep nesting, trees that take much more
 * memory than their text. It ends strings at U+0000, which a label value may
 * have: that goes through it as C0 80, bytes that UTF-8 has no use for.
 *
 * On any thread; one at a time parses, since cJSON keeps its last error in one place.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

enum {
	LINE_JSON_DEPTH_MAX = 16,
	LINE_JSON_VALUES_MAX = 10 * 1000 * 1000,
};

/*
 * To be given to cJSON_Delete(). NULL when the text is no JSON; *reterr_what
 * says why, in the arena.
 */
cJSON *line_json_parse(struct slice text, struct arena *arena, struct slice *reterr_what);

/* A string of the tree, or the name of a member, copied into the arena. */
struct slice line_json_text(const char *string, struct arena *arena);

/*
 * The members of an object by their names: *ret_fields has as many, NULL for
 * those that are missing. False when one is there twice or has another name.
 */
bool line_json_fields(const cJSON *object, const char *const *names, size_t count,
		const cJSON **ret_fields, struct arena *arena, struct slice *reterr_what);
