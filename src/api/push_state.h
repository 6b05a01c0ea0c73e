#pragma once

/*
 * A push on its way: push.c leads it from step to step, push_answer.c has the
 * words with which it may end.
 */

#include "api/ack.h"
#include "api/api.h"
#include "api/push_terms.h"
#include "api/task.h"
#include "format/text_layout.h"
#include "http/content.h"
#include "store/push.h"
#include "store/splice.h"

enum { PUSH_RENDERED_FACTOR = 4 }; /* of the largest body: the largest push with its labels */

struct push;

/* The step that is being done elsewhere. */
struct push_step {
	struct job job;
	struct list link; /* while it waits for a thread */
	struct push *push;
	void (*work)(struct push *push);
	void (*then)(struct push *push);
};

struct push {
	struct api_task task; /* begun when the push takes more than one turn */
	struct push_step step;
	struct ack ack;
	struct api *api;
	struct exchange *exchange;
	enum store_method method;
	bool is_large;
	bool is_ongoing;
	struct group_key key;
	struct push_terms terms;
	int64_t ttl_ns;
	enum http_coding coding;
	enum format_id format;

	enum http_content_result content;
	struct buf decoded;
	struct buf content_error;
	struct slice body;
	struct text_layout layout;
	struct splice splice;

	enum format_result parsed;
	bool is_relabelled; /* the rule's expressions could be matched */
	struct format_error format_error;
	struct batch batch;
	enum prepare_result prepare;
	struct prepare_options prepare_options;
	struct prepared_push prepared;
	struct batch_fault fault;
	struct store_push op;
};

/* Each answers the exchange and ends the push. */

/* It is in the store: the answer comes when that is durable. */
void push_finish_good(struct push *push);
void push_finish_refused(
		struct push *push, int status, enum stats_rejection reason, struct slice text);

/* The exchange has its answer already. */
void push_finish_answered(struct push *push);

/* Its group cannot be kept at present: see away.h. */
void push_finish_away(struct push *push, struct slice text);

/* Which rule its job is for cannot be told. */
void push_finish_unruled(struct push *push);

/* Its body is larger than the rule allows. */
void push_finish_too_large(struct push *push);

/* Its content coding could not be undone. */
void push_finish_undecoded(struct push *push);

/* It could not be read, or has too much of something. */
void push_finish_unparsed(struct push *push);
void push_finish_format_limited(struct push *push);

/* It would take too many bytes with its labels in every line. */
void push_finish_too_wide(struct push *push);

/* It contradicts itself or what is stored: see the fault. */
void push_finish_contradiction(struct push *push);

/* The rule leaves more series than it allows, or could not be followed. */
void push_finish_series_limited(struct push *push);
void push_finish_unrelabelled(struct push *push);

/* The store has too much of something. */
void push_finish_store_limited(struct push *push);
