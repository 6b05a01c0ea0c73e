#pragma once

/*
 * What the endpoints about targets have in common.
 */

#include <cjson/cJSON.h>

#include "api/api.h"

enum {
	TARGETS_BODY_MAX = 256 * 1024, /* of one target */
	TARGETS_IMPORT_MAX = 16 * 1024 * 1024,
	TARGETS_IMPORT_LINES_MAX = 20000,
};

/* Counts the answer, which is set, and gives it. */
void targets_answer(struct api *api, struct exchange *exchange);

/*
 * The same when what was changed is stored, with that Location unless it is empty; if it cannot
 * be stored, 503 instead.
 */
void targets_answer_when_stored(struct api *api, struct exchange *exchange, struct slice location);

/* Sets the target, as it is, as the answer. */
void targets_set_target(
		struct api *api, struct exchange *exchange, int status, const struct target *target);

/* With a sentence. */
void targets_answer_error(
		struct api *api, struct exchange *exchange, int status, struct slice text);

/* True when nothing can be said of targets yet, and the exchange was answered. */
bool targets_are_loading(struct api *api, struct exchange *exchange);

/* True when targets must not be changed now, and the exchange was answered. */
bool targets_are_away(struct api *api, struct exchange *exchange);

/* The body, its content coding undone. False when the exchange was answered with what is wrong. */
bool targets_take_body(
		struct api *api, struct exchange *exchange, size_t bytes_max, struct slice *ret_body);
