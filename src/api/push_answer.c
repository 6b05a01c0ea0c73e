#include "api/answer.h"
#include "api/limit_text.h"
#include "api/push_state.h"
#include "api/unavailable.h"
#include "http/session.h"

void push_finish_answered(struct push *push)
{
	struct exchange *exchange = push->exchange;
	enum stats_method method = answer_stats_method(exchange);
	stats_count_request(
			push->api->stats, STATS_HANDLER_PUSH, method, (unsigned)exchange->response.status);
	stats_count_push(
			push->api->stats, method, exchange->request.wire_bytes, exchange->request.began_ns);
	buf_finish(&push->decoded);
	buf_finish(&push->content_error);
	push_terms_finish(&push->terms);
	if (push->is_ongoing) {
		api_task_end(&push->task);
	} else {
		exchange_answer(exchange);
	}
}

static void on_acknowledged(struct ack *ack, enum ack_result result)
{
	struct push *push = LIST_ENTRY(ack, struct push, ack);
	push->api->stats->rejected[STATS_REJECTED_STATE] += result == ACK_FAILED;
	push_finish_answered(push);
}

static void note_target(const struct push *push)
{
	const struct http_session *session = push->exchange->session;
	struct slice source = slice_of_string(session == NULL ? "" : session->peer_name);
	registry_note_push(
			push->api->targets, &push->key, slice_of_string(formats[push->format].name), source);
}

void push_finish_good(struct push *push)
{
	note_target(push);
	answer_empty(push->exchange, push->api->options.is_checked ? 200 : 202);
	buf_finish(&push->decoded); /* it may wait for a while */
	if (push->is_ongoing) {
		push->is_ongoing = false;
		api_task_leave(&push->task);
	}
	ack_when_durable(push->api, &push->ack, push->exchange, &push->key, on_acknowledged);
}

void push_finish_refused(
		struct push *push, int status, enum stats_rejection reason, struct slice text)
{
	push->api->stats->rejected[reason]++;
	registry_note_rejection(push->api->targets, &push->key, text);
	answer_error(push->exchange, status, text);
	push_finish_answered(push);
}

void push_finish_away(struct push *push, struct slice text)
{
	unavailable_add_retry(push->exchange);
	push_finish_refused(push, 503, STATS_REJECTED_STATE, text);
}

static void finish_limited(struct push *push, int status, struct slice text)
{
	push_finish_refused(push, status, STATS_REJECTED_LIMIT, text);
}

void push_finish_store_limited(struct push *push)
{
	finish_limited(push, 429, limit_text_of_store(&push->exchange->arena, &push->op, &push->terms));
}

void push_finish_too_large(struct push *push)
{
	push->api->decoded_too_large++;
	finish_limited(push, 413,
			limit_text(&push->exchange->arena, "the body has too many bytes",
					push->terms.body_bytes, "body-bytes", true));
}

void push_finish_series_limited(struct push *push)
{
	push->api->format_refused[FORMAT_LIMIT_SAMPLES]++;
	finish_limited(push, 429,
			limit_text(&push->exchange->arena, "too many series in one push", push->terms.series,
					"series-per-group", true));
}

void push_finish_unrelabelled(struct push *push)
{
	push_finish_refused(push, 400, STATS_REJECTED_LIMIT,
			SLICE("a regular expression of the rule for this job takes too long for a name in "
				  "this push"));
}

void push_finish_unruled(struct push *push)
{
	push_finish_refused(push, 400, STATS_REJECTED_LIMIT,
			SLICE("a regular expression of the rules for jobs takes too long for the name of this "
				  "job"));
}

void push_finish_format_limited(struct push *push)
{
	const struct format_options *of_all = &push->api->options.format_options;
	enum format_limit limit = push->format_error.limit;
	push->api->format_refused[limit]++;
	finish_limited(push, limit == FORMAT_LIMIT_SAMPLES ? 429 : 413,
			limit_text_of_format(&push->exchange->arena, limit, &push->terms, of_all));
}

void push_finish_unparsed(struct push *push)
{
	push_finish_refused(push, 400, STATS_REJECTED_SYNTAX,
			format_error_text(&formats[push->format], &push->format_error, &push->exchange->arena));
}

void push_finish_too_wide(struct push *push)
{
	push->api->decoded_too_large++;
	push_finish_refused(push, 413, STATS_REJECTED_LIMIT,
			arena_printf(&push->exchange->arena,
					"too many bytes with the grouping labels in every line: %zu are allowed "
					"(%d times --limit.body-bytes)",
					push->prepare_options.max_bytes, PUSH_RENDERED_FACTOR));
}

void push_finish_undecoded(struct push *push)
{
	bool is_corrupt = push->content == HTTP_CONTENT_E_CORRUPT;
	struct slice text = buf_slice(&push->content_error);
	push->api->decoded_too_large += !is_corrupt;
	push_finish_refused(push, is_corrupt ? 400 : 413, STATS_REJECTED_BODY,
			slice_first(text, text.len > 0 ? text.len - 1 : 0));
}

/* With a caret under its beginning, and no line feed at the end. */
static struct slice show(struct slice line, struct arena *arena)
{
	struct format_error shown = { .column = 1, .line_text = line };
	struct slice excerpt = format_error_excerpt(&shown, arena);
	return slice_first(excerpt, excerpt.len - 1);
}

void push_finish_contradiction(struct push *push)
{
	const struct batch_fault *fault = &push->fault;
	struct arena *arena = &push->exchange->arena;
	struct slice text = ARENA_JOIN(arena,
			SLICE("pushed metrics are invalid or inconsistent with existing metrics: "),
			fault->text);
	if (fault->line.len > 0) {
		text = ARENA_JOIN(arena, text, SLICE("\n"), show(fault->line, arena));
	}
	if (fault->holder.len > 0) {
		text = ARENA_JOIN(
				arena, text, SLICE("\nwhat stands against it:\n"), show(fault->holder, arena));
	}
	push_finish_refused(push, 400,
			push->batch.has_timestamps ? STATS_REJECTED_TIMESTAMP : STATS_REJECTED_INCONSISTENT,
			text);
}
