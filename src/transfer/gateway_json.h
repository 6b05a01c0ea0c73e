#pragma once

/*
 * Pieces of what a Pushgateway's API says, of trees that line_json_parse() made.
 */

#include <stdbool.h>

#include "model/labels.h"
#include "transfer/line_json.h"

/* Whether the gateway had text that is not UTF-8, for which it writes \ufffd. */
bool gateway_json_is_repaired(struct slice text);

/* The text of that string in an object; ptr NULL: there is none. */
struct slice gateway_json_member(const cJSON *object, const char *key, struct arena *arena);

/* {"job":"x","lab":"1"} as they are, not escaped. False when not all are strings. */
bool gateway_json_labels(const cJSON *object, struct arena *arena, struct labels *ret_labels);

/* The same as a batch has them: escaped and sorted. */
struct labels gateway_json_escape(const struct labels *labels, struct arena *arena);
