#pragma once

/*
 * What several endpoints answer alike.
 */

#include "api/api.h"
#include "api/push_url.h"
#include "http/content.h"

/* An empty body; no content type. */
void answer_empty(struct exchange *exchange, int status);

/* As Pushgateway: text, one line feed at the end. */
void answer_error(struct exchange *exchange, int status, struct slice text);

/* What a browser may do from another page: read the API. */
void answer_add_cors(struct exchange *exchange);

/* The same, and use those methods: "GET, OPTIONS, PUT". A browser asks before it does. */
void answer_add_cors_of(struct exchange *exchange, struct slice methods);

/*
 * What the client may keep for an hour. True when it has it already, and the answer is 304.
 */
bool answer_is_known(struct exchange *exchange, struct slice etag);

/*
 * The key of a push's path. False when the exchange has its error answer,
 * still to be sent.
 */
bool answer_read_key(struct api *api, struct exchange *exchange, const struct route *route,
		struct group_key *ret_key);

/* The same without an answer. */
bool answer_find_key(const struct api *api, struct exchange *exchange, const struct route *route,
		struct group_key *ret_key);

/* Whether a Prometheus scrapes, to judge by a header of its own. */
bool answer_is_to_prometheus(const struct exchange *exchange);

/*
 * The request's body, its content coding undone, as sent or in the arena. The text is a
 * line that says what is wrong with a coding.
 */
enum http_content_result answer_decode_body(struct exchange *exchange, size_t bytes_max,
		struct slice *ret_body, struct slice *reterr_text);

/* A name or a value of a query, decoded. False when an escape is broken. */
bool answer_decode_query(struct slice raw, struct arena *arena, struct slice *ret_text);

/* put, post ... as weir's own metrics name them. */
enum stats_method answer_stats_method(const struct exchange *exchange);
