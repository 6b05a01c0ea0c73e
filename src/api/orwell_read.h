#pragma once

/*
 * What requests to the routes of ORWELL's middleware say: in their body, a JSON object of which
 * what is not known is looked over; in their path; in their query.
 *
 * Everything that is wrong is gathered and answered at once. A number may stand in a string, as
 * pydantic takes it.
 */

#include <cjson/cJSON.h>

#include "api/orwell_answer.h"
#include "api/targets_sort.h"
#include "targets/target_id.h"

struct orwell_body {
	struct arena *arena; /* the exchange's: what is read lies there */
	cJSON *tree;
	struct orwell_faults faults;
};

/* What a field says, if it is there. */
struct orwell_text {
	bool is_given;
	struct slice text; /* escaped as the value of a label; ptr NULL: null was given */
};

struct orwell_number {
	bool is_given;
	bool is_null;
	uint64_t value;
};

/* False when the exchange was answered with what is wrong. */
bool orwell_body_open(struct api *api, struct exchange *exchange, struct orwell_body *body);

/* Likewise. Nothing points into the body any more. */
bool orwell_body_close(struct api *api, struct exchange *exchange, struct orwell_body *body);

/* NULL: there is none. Of two the last counts. */
const cJSON *orwell_body_field(const struct orwell_body *body, const char *name);

void orwell_body_refuse(
		struct orwell_body *body, const char *name, const char *type, const char *message);

/* It has to be there, and not to be null. */
void orwell_body_require(struct orwell_body *body, const char *name);

/* Bytes as they were given. */
struct orwell_text orwell_body_text(
		struct orwell_body *body, const char *name, size_t bytes_min, size_t bytes_max);

/* A UUID, written as weir writes it. */
struct orwell_text orwell_body_uuid(struct orwell_body *body, const char *name);

struct orwell_number orwell_body_number(
		struct orwell_body *body, const char *name, uint64_t min, uint64_t max);

/* One value by itself; false when it is no whole number, and never more than INT64_MAX. */
bool orwell_read_number(const cJSON *value, uint64_t *ret_number);

/* Of a path: a number, or a UUID. False when the exchange was answered with what is wrong. */
bool orwell_path_number(struct api *api, struct exchange *exchange, const char *name,
		struct slice text, uint64_t *ret_number);
bool orwell_path_id(struct api *api, struct exchange *exchange, const char *name, struct slice text,
		struct target_id *ret_id);

/* Of a query; likewise. The limit is SIZE_MAX when there is none. */
bool orwell_query_page(
		struct api *api, struct exchange *exchange, size_t *ret_offset, size_t *ret_limit);

/* Likewise; in the exchange's arena. */
bool orwell_query_order(
		struct api *api, struct exchange *exchange, struct targets_order *ret_order);
