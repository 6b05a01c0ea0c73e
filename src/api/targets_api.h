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

/* The target as it is, with that status. */
void targets_answer_target(
		struct api *api, struct exchange *exchange, int status, const struct target *target);

/* With a sentence. */
void targets_answer_error(
		struct api *api, struct exchange *exchange, int status, struct slice text);

/* True when nothing can be said of targets yet: the exchange was answered, or waits. */
bool targets_are_loading(struct api *api, struct exchange *exchange);

/* Whether the exchange waits for the targets to be loaded; it is handled anew then. */
bool targets_wait(struct api *api, struct exchange *exchange);

/* The body, its content coding undone; 0, or the status that says what is wrong with it. */
int targets_decode_body(struct exchange *exchange, size_t bytes_max, struct slice *ret_body,
		struct slice *reterr_text);

/* The same; false when the exchange was answered with what is wrong. */
bool targets_take_body(
		struct api *api, struct exchange *exchange, size_t bytes_max, struct slice *ret_body);
