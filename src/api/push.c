#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/push_state.h"
#include "api/targets_api.h"
#include "api/ttl.h"
#include "base/clock.h"
#include "http/media_type.h"

/*
 * A push goes through these, in order; those marked run on a worker thread
 * when the body is large. A body of the layout that the group had last ends
 * after splicing; the others are parsed.
 *
 *     decode *     the content coding undone, values told from the rest
 *     splice *     other values for the same lines
 *     parse *      to a batch, rendered under the grouping key
 *     apply        checked and put into the store
 */
enum {
	INLINE_BYTES = 128 * 1024,     /* what is larger is done on a worker thread */
	INLINE_CODED_BYTES = 8 * 1024, /* the same for bodies that inflate */
	LARGE_AT_A_TIME = 2,           /* on threads, of which some are left to compress pages */
};

static void run(
		struct push *push, void (*work)(struct push *push), void (*then)(struct push *push));

/* ---- Applying ---- */

/* True when its group must not change now, and the push is over. */
static bool is_turned_away(struct push *push)
{
	struct slice text = away_text(push->api, &push->key, &push->exchange->arena);
	if (text.ptr != NULL) {
		push_finish_away(push, text);
	}
	return text.ptr != NULL;
}

static int64_t deadline_of(const struct push *push)
{
	int64_t deadline_ns;
	/* So late that it cannot be said: never. */
	bool is_never = push->ttl_ns == 0
			|| __builtin_add_overflow((int64_t)clock_monotonic_ns(), push->ttl_ns, &deadline_ns);
	return is_never ? 0 : deadline_ns;
}

/*
 * A push that is inconsistent leaves its time with the group, unless that
 * would harm the page. Unchecked, only timestamps are refused, and silently.
 */
static void finish_inconsistent(struct push *push)
{
	struct api *api = push->api;
	const struct batch_fault *fault = &push->fault;
	if (is_turned_away(push)) {
		return;
	}
	if (fault->leaves_trace
			&& store_record_failure(api->store, &push->key, &push->terms.store, clock_wall_ns(),
					   deadline_of(push))
					== STORE_RECORD_WAIT) {
		run(push, NULL, finish_inconsistent);
		return;
	}
	if (!api->options.is_checked) {
		api->stats->rejected[STATS_REJECTED_TIMESTAMP]++;
		push_finish_good(push);
		return;
	}
	push_finish_contradiction(push);
}

/* What is in the store in part has to go there as a whole. */
static bool is_turned_away_at_last(struct push *push)
{
	struct slice text = away_text(push->api, &push->key, &push->exchange->arena);
	if (text.ptr == NULL || !push_retreat(&push->op)) {
		return false;
	}
	prepared_push_drop(&push->prepared);
	push_finish_away(push, text);
	return true;
}

static void apply(struct push *push)
{
	if (is_turned_away_at_last(push)) {
		return;
	}
	enum push_result result = push_step(&push->op);
	switch (result) {
	case PUSH_AGAIN:
	case PUSH_WAIT:
		run(push, NULL, apply);
		return;
	case PUSH_OK:
		push_finish_good(push);
		return;
	case PUSH_E_INCONSISTENT:
		prepared_push_drop(&push->prepared);
		push->fault = push->op.fault;
		finish_inconsistent(push);
		return;
	case PUSH_E_LIMIT:
		prepared_push_drop(&push->prepared);
		push_finish_store_limited(push);
		return;
	}
}

static void begin_to_apply(struct push *push)
{
	push_init(&push->op, push->api->store, push->method, &push->key, &push->prepared,
			&push->exchange->arena);
	push->op.now_ns = clock_wall_ns();
	push->op.deadline_ns = deadline_of(push);
	push->op.job_limits = push->terms.store;
	apply(push);
}

/* ---- Parsing ---- */

static void parse(struct push *push)
{
	struct arena *arena = &push->exchange->arena;
	push->parsed = formats[push->format].decode(
			push->body, &push->terms.format, arena, &push->batch, &push->format_error);
	const struct job_rule *rule = push->terms.rule;
	push->is_relabelled = push->parsed == FORMAT_OK
			&& (rule == NULL || relabel_apply(&rule->relabel, &push->batch, arena));
	if (push->is_relabelled) {
		push->prepare = prepare_push(&push->batch, &push->key, &push->prepare_options, arena,
				&push->prepared, &push->fault);
		push->prepared.layout.hash = push->layout.hash;
		push->prepared.layout.is_known = push->format == FORMAT_TEXT
				&& text_layout_fits(&push->layout, &push->batch)
				&& push->prepared.line_count == push->batch.sample_count;
	}
}

static void on_parsed(struct push *push)
{
	switch (push->parsed) {
	case FORMAT_E_SYNTAX:
		push_finish_unparsed(push);
		return;
	case FORMAT_E_LIMIT:
		push_finish_format_limited(push);
		return;
	case FORMAT_OK:
		break;
	}
	if (!push->is_relabelled) {
		push_finish_unrelabelled(push);
		return;
	}
	if (push->prepare == PREPARE_OK && push->batch.sample_count > push->terms.series) {
		prepared_push_drop(&push->prepared);
		push_finish_series_limited(push);
		return;
	}
	switch (push->prepare) {
	case PREPARE_OK:
		begin_to_apply(push);
		return;
	case PREPARE_E_FAULT:
		finish_inconsistent(push);
		return;
	case PREPARE_E_BYTES:
		push_finish_too_wide(push);
		return;
	}
}

static void begin_to_parse(struct push *push)
{
	push->prepare_options = (struct prepare_options){
		.is_checked = push->api->options.is_checked,
		.max_bytes = PUSH_RENDERED_FACTOR * push->api->options.body_bytes,
	};
	run(push, parse, on_parsed);
}

/* ---- Splicing ---- */

static void splice(struct push *push)
{
	splice_make(&push->splice);
}

static void on_spliced(struct push *push)
{
	struct slice away = away_text(push->api, &push->key, &push->exchange->arena);
	if (away.ptr != NULL) {
		splice_drop(&push->splice);
		push_finish_away(push, away);
		return;
	}
	if (splice_end(&push->splice, clock_wall_ns(), deadline_of(push))) {
		push->api->stats->unchanged_layouts++;
		push_finish_good(push);
	} else {
		begin_to_parse(push);
	}
}

/* ---- Decoding ---- */

static void decode(struct push *push)
{
	struct slice raw = push->exchange->request.body;
	push->body = raw;
	if (push->coding != HTTP_CODING_IDENTITY) {
		size_t limit = push->terms.body_bytes;
		bool is_tried = !push->is_large && limit > INLINE_BYTES;
		buf_reset(&push->decoded, 0);
		buf_reset(&push->content_error, 0);
		push->content = http_content_decode(push->coding, raw, is_tried ? INLINE_BYTES : limit,
				&push->decoded, &push->content_error);
		push->body = buf_slice(&push->decoded);
	}
	if (push->body.len == 0) {
		push->body = SLICE(""); /* no body is an empty one */
	}
	if (push->content == HTTP_CONTENT_OK && push->format == FORMAT_TEXT) {
		text_layout_scan(push->body, &push->exchange->arena, &push->layout);
		push->layout.hash.high ^= push_terms_id(&push->terms);
	}
}

/* Bytes that the push takes when it is rendered, roughly: every line has the key. */
static size_t estimate_bytes(const struct push *push)
{
	size_t key_bytes = 0;
	for (size_t i = 0; i < push->key.labels.count; i++) {
		const struct label *label = &push->key.labels.pairs[i];
		key_bytes += label->name.len + label->value.len;
	}
	/* The lines of a body that is not plain are not counted; they have four bytes at least. */
	size_t lines = push->layout.is_plain ? push->layout.value_count : push->body.len / 4;
	return push->body.len + lines * key_bytes;
}

static void on_decoded(struct push *push)
{
	if (push->content == HTTP_CONTENT_E_TOO_LARGE && !push->is_large) {
		/* A small body that inflates to a large one. */
		push->is_large = true;
		run(push, decode, on_decoded);
		return;
	}
	if (push->content != HTTP_CONTENT_OK) {
		push_finish_undecoded(push);
		return;
	}
	push->is_large = push->is_large || estimate_bytes(push) > INLINE_BYTES;
	struct body_layout layout = { .hash = push->layout.hash, .is_known = push->layout.is_plain };
	if (push->format == FORMAT_TEXT
			&& splice_begin(&push->splice, push->api->store, &push->key, push->method, &layout,
					push->layout.values, push->layout.value_count)) {
		run(push, splice, on_spliced);
	} else {
		begin_to_parse(push);
	}
}

/* ---- From step to step ---- */

static void on_work(struct job *job)
{
	struct push_step *step = (struct push_step *)job;
	step->work(step->push);
}

static void on_turn(struct job *job)
{
	struct push_step *step = (struct push_step *)job;
	step->then(step->push);
}

static void on_done(struct job *job)
{
	struct push_step *step = (struct push_step *)job;
	struct api *api = step->push->api;
	struct list *next = list_first(&api->large_waiting);
	if (next == NULL) {
		api->large_running--;
	} else {
		list_remove(next);
		executor_submit(api->executor, &LIST_ENTRY(next, struct push_step, link)->job);
	}
	step->then(step->push);
}

static void submit(struct push *push)
{
	struct api *api = push->api;
	if (api->large_running == LARGE_AT_A_TIME) {
		list_append(&api->large_waiting, &push->step.link);
		return;
	}
	api->large_running++;
	executor_submit(api->executor, &push->step.job);
}

/* Does the work, on the spot or on a thread, then goes on. No work: on another turn. */
static void run(struct push *push, void (*work)(struct push *push), void (*then)(struct push *push))
{
	if (work != NULL && !push->is_large) {
		work(push);
		then(push);
		return;
	}
	if (!push->is_ongoing) {
		push->is_ongoing = true;
		api_task_begin(&push->task, push->api, push->exchange);
	}
	push->step = (struct push_step){
		.job = { .work = work == NULL ? NULL : on_work, .done = work == NULL ? on_turn : on_done },
		.push = push,
		.work = work,
		.then = then,
	};
	if (work == NULL) {
		executor_defer(push->api->executor, &push->step.job);
	} else {
		submit(push);
	}
}

/* ---- The beginning ---- */

/* True when its target may not push, and the push is over; or it begins anew, later. */
static bool is_unknown(struct push *push)
{
	switch (registry_admit(push->api->targets, &push->key)) {
	case REGISTRY_ADMITTED:
		return false;
	case REGISTRY_UNKNOWN:
		push_finish_refused(push, 403, STATS_REJECTED_TARGET,
				SLICE("the target is not known, and only known ones may push "
					  "(--targets.register=known)"));
		return true;
	case REGISTRY_LOADING:
		if (!targets_wait(push->api, push->exchange)) {
			push_finish_away(push, SLICE("the targets that may push are being loaded"));
		}
		return true;
	}
	return true;
}

static bool read_head(struct push *push, const struct route *route)
{
	struct exchange *exchange = push->exchange;
	struct slice text;
	if (!answer_read_key(push->api, exchange, route, &push->key)) {
		push_finish_answered(push);
		return false;
	}
	if (is_turned_away(push) || is_unknown(push)) {
		return false;
	}
	if (!push_terms_init(&push->terms, push->api, &push->key, &exchange->arena)) {
		push_finish_unruled(push);
		return false;
	}
	if (!ttl_of_exchange(&push->terms.ttl, exchange, &push->ttl_ns, &text)) {
		push_finish_refused(push, 400, STATS_REJECTED_TTL, text);
		return false;
	}
	if (push->key.labels.count > push->terms.format.labels) {
		push->format_error.limit = FORMAT_LIMIT_LABELS;
		push_finish_format_limited(push);
		return false;
	}
	if (exchange->request.body.len > push->terms.body_bytes) {
		push_finish_too_large(push);
		return false;
	}
	return true;
}

/* What is neither protobuf nor OpenMetrics is text, whatever it is called. */
static enum format_id format_of(const struct exchange *exchange)
{
	struct slice content_type = exchange_header(exchange, SLICE("Content-Type"));
	if (media_type_is_protobuf(content_type)) {
		return FORMAT_PROTOBUF;
	}
	return media_type_is_openmetrics(content_type) ? FORMAT_OPENMETRICS : FORMAT_TEXT;
}

void push_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	struct push *push = arena_zalloc(&exchange->arena, 1, sizeof(*push));
	push->api = api;
	push->exchange = exchange;
	push->method = exchange->request.method == METHOD_PUT ? STORE_PUT : STORE_POST;
	buf_init(&push->decoded, 0);
	buf_init(&push->content_error, 0);
	if (!read_head(push, route)) {
		return;
	}
	size_t body_bytes = exchange->request.body.len;
	push->format = format_of(exchange);
	push->coding = http_coding_by_name(exchange_header(exchange, SLICE("Content-Encoding")));
	push->is_large = body_bytes > INLINE_BYTES
			|| (push->coding != HTTP_CODING_IDENTITY && body_bytes > INLINE_CODED_BYTES);
	run(push, decode, on_decoded);
}
