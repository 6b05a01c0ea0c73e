#include "http/session.h"

#include <assert.h>

#include "base/clock.h"
#include "http/exchange.h"
#include "http/request.h"
#include "http/server.h"
#include "http/session_output.h"

enum {
	/* A smaller body is copied: cheaper than holding on to the whole input. */
	COPIED_BODY_BYTES = 8 * 1024,
	/* A body nobody wants is read to its end if it is no larger, as in Go. */
	DISCARDED_BODY_BYTES = 256 * 1024,
	/* With more than that unanswered, nothing is read ahead. */
	WINDOW_BYTES = 1024 * 1024,
};

void http_session_init(struct http_session *session, struct http_server *server,
		void (*on_answer)(struct http_session *session))
{
	*session = (struct http_session){
		.server = server,
		.on_answer = on_answer,
		.reading = READING_BLANKS,
	};
	list_init(&session->exchanges);
	buf_init(&session->output.text, 0);
}

void http_session_finish(struct http_session *session)
{
	http_session_drop_exchanges(session);
	http_session_drop_current(session);
	if (session->held != NULL) {
		http_input_unref(session->held);
		session->held = NULL;
	}
	buf_finish(&session->output.text);
}

/* The current exchange, read or refused, takes its place behind the others. */
static struct exchange *queue_current(struct http_session *session)
{
	struct exchange *exchange = session->current;
	session->current = NULL;
	list_append(&session->exchanges, &exchange->link);
	session->exchange_count++;
	session->exchange_bytes += exchange->request.wire_bytes;
	return exchange;
}

static void begin_exchange(struct http_session *session)
{
	struct exchange *exchange = http_server_take(session->server);
	exchange->session = session;
	exchange->request.minor = 1;
	exchange->request.began_ns = clock_monotonic_ns();
	session->current = exchange;
	session->requests++;
}

/* Nothing more is read; unless told otherwise, the client may still be sending. */
static void stop_reading(struct http_session *session)
{
	session->reading = READING_NOTHING;
	session->lingers = true;
}

void http_session_refuse(struct http_session *session, enum http_refusal refusal)
{
	if (session->current == NULL && session->reading == READING_LENGTH) {
		stop_reading(session); /* the request was answered, only its body is late */
		return;
	}
	if (session->current == NULL) {
		begin_exchange(session);
	}
	struct exchange *exchange = queue_current(session);
	http_refusal_answer(refusal, exchange, &session->server->limits, &session->server->counters);
	exchange->answered = true;
	stop_reading(session);
}

static struct slice refuse(struct http_session *session, enum http_refusal refusal)
{
	http_session_refuse(session, refusal);
	return slice_make(NULL, 0);
}

/* The current request is whole. */
static void hand_over(struct http_session *session)
{
	struct http_server *server = session->server;
	struct exchange *exchange = queue_current(session);
	session->reading = exchange->wire.keep_alive ? READING_BLANKS : READING_NOTHING;
	server->counters.requests++;
	server->unanswered++;
	exchange->wire.is_handed = true;
	server->on_request(server->data, exchange);
}

/* CRLFs before a request are skipped (RFC 9112, section 2.2). */
static struct slice skip_blanks(struct http_session *session, struct slice bytes)
{
	while (bytes.len > 0) {
		char byte = bytes.ptr[0];
		if (session->blank_cr ? byte != '\n' : byte == '\n') {
			return refuse(session, REFUSAL_SYNTAX);
		}
		if (!session->blank_cr && byte != '\r') {
			session->reading = READING_HEAD;
			head_scan_init(&session->scan);
			begin_exchange(session);
			break;
		}
		session->blank_cr = !session->blank_cr;
		bytes = slice_skip(bytes, 1);
	}
	return bytes;
}

/* Answered by the head alone: is the connection still of use? */
static void skip_body(struct http_session *session, bool arrives)
{
	const struct http_head *head = &session->head;
	struct exchange *exchange = queue_current(session);
	bool has_body = head->chunked || head->length != 0;
	bool comes = !has_body || !head->wants_continue || arrives;
	bool small = !head->chunked && head->length <= DISCARDED_BODY_BYTES;
	if (comes && small && exchange->wire.keep_alive && !exchange->response.close) {
		session->left = head->length;
		session->reading = has_body ? READING_LENGTH : READING_BLANKS;
		return;
	}
	exchange->response.close = true;
	stop_reading(session);
	session->lingers = has_body;
}

static void begin_body(struct http_session *session, bool arrives)
{
	const struct http_head *head = &session->head;
	struct http_server *server = session->server;
	struct exchange *exchange = session->current;
	if (server->on_head != NULL) {
		server->on_head(server->data, exchange);
		if (exchange->answered) {
			skip_body(session, arrives);
			return;
		}
	}
	exchange->wire.wants_continue = head->wants_continue;
	if (head->chunked) {
		http_chunks_init(&session->chunks);
		session->reading = READING_CHUNKS;
		return;
	}
	session->left = head->length;
	session->reading = READING_LENGTH;
}

/* The request is let in. `arrives`: something follows its head already. */
static void go_on(struct http_session *session, bool arrives)
{
	const struct http_head *head = &session->head;
	if (!head->chunked && head->length > session->server->limits.body_bytes) {
		http_session_refuse(session, REFUSAL_BODY_TOO_LARGE);
	} else if (head->chunked || head->length != 0) {
		begin_body(session, arrives);
	} else {
		hand_over(session);
	}
}

static void ask_admission(struct http_session *session, bool arrives)
{
	struct http_server *server = session->server;
	struct exchange *exchange = session->current;
	if (server->admit == NULL || server->admit(server->admit_data, exchange)) {
		go_on(session, arrives);
	} else if (exchange->answered) {
		skip_body(session, arrives);
	} else {
		exchange->wire.awaits_admission = true;
		session->reading = READING_PAUSED;
	}
}

void http_session_admit(struct http_session *session)
{
	go_on(session, session->held != NULL);
	http_session_answered(session);
}

void http_session_turn_away(struct http_session *session)
{
	skip_body(session, session->held != NULL);
	http_session_answered(session);
}

static struct slice end_head(struct http_session *session, struct slice rest)
{
	struct exchange *exchange = session->current;
	enum http_refusal refusal = http_request_parse(
			&exchange->request, &exchange->arena, buf_slice(&exchange->wire.head), &session->head);
	if (refusal != REFUSAL_NONE) {
		return refuse(session, refusal);
	}
	exchange->request.wire_bytes = exchange->wire.head.len;
	exchange->wire.keep_alive = session->head.keep_alive;
	ask_admission(session, rest.len != 0);
	return rest;
}

/* Of a limit, which may have been lowered since. */
static size_t left_of(size_t limit, size_t used)
{
	return limit > used ? limit - used : 0;
}

static struct slice read_head(struct http_session *session, struct slice bytes)
{
	struct buf *head = &session->current->wire.head;
	size_t room = left_of(session->server->limits.header_bytes, head->len);
	size_t used;
	enum head_scan_result result = head_scan_feed(&session->scan, slice_first(bytes, room), &used);
	if (result == HEAD_SCAN_E_SYNTAX) {
		return refuse(session, REFUSAL_SYNTAX);
	}
	if (result == HEAD_SCAN_MORE && bytes.len > room) {
		return refuse(session, REFUSAL_HEAD_TOO_LARGE);
	}
	buf_append(head, slice_first(bytes, used));
	bytes = slice_skip(bytes, used);
	return result == HEAD_SCAN_DONE ? end_head(session, bytes) : bytes;
}

/* A large body that lies whole in the input stays there. */
static bool body_lies_in_input(
		const struct http_session *session, const struct http_input *input, size_t available)
{
	return input != NULL && session->current->wire.body.len == 0
			&& session->left > COPIED_BODY_BYTES && session->left <= available
			&& http_inputs_may_pin(&session->server->inputs);
}

static struct slice read_length(
		struct http_session *session, struct http_input *input, struct slice bytes)
{
	struct exchange *exchange = session->current;
	struct slice part = session->left < bytes.len ? slice_first(bytes, session->left) : bytes;
	struct slice rest = slice_skip(bytes, part.len);
	if (exchange == NULL) {
		session->left -= part.len;
		if (session->left == 0) {
			session->reading = READING_BLANKS;
		}
		return rest;
	}
	exchange->wire.wants_continue = false;
	exchange->request.wire_bytes += part.len;
	if (body_lies_in_input(session, input, bytes.len)) {
		exchange->request.body = part;
		exchange->wire.input = http_input_ref(input);
		session->left = 0;
		hand_over(session);
		return rest;
	}
	buf_append(&exchange->wire.body, part);
	session->left -= part.len;
	if (session->left == 0) {
		exchange->request.body = buf_slice(&exchange->wire.body);
		hand_over(session);
	}
	return rest;
}

static struct slice read_chunks(struct http_session *session, struct slice bytes)
{
	struct exchange *exchange = session->current;
	struct buf *body = &exchange->wire.body;
	size_t used = 0;
	struct slice data;
	enum http_chunks_result result = http_chunks_feed(&session->chunks, bytes, &used, &data);

	exchange->wire.wants_continue = false;
	exchange->request.wire_bytes += used;
	switch (result) {
	case HTTP_CHUNKS_DATA:
		if (data.len + session->chunks.left
				> left_of(session->server->limits.body_bytes, body->len)) {
			return refuse(session, REFUSAL_BODY_TOO_LARGE);
		}
		buf_append(body, data);
		break;
	case HTTP_CHUNKS_MORE:
		break;
	case HTTP_CHUNKS_END:
		exchange->request.body = buf_slice(body);
		hand_over(session);
		break;
	case HTTP_CHUNKS_E_LENGTH:
		return refuse(session, REFUSAL_CHUNK_LENGTH);
	case HTTP_CHUNKS_E_SYNTAX:
		return refuse(session, REFUSAL_CHUNK_SYNTAX);
	}
	return slice_skip(bytes, used);
}

static struct slice read_some(
		struct http_session *session, struct http_input *input, struct slice bytes)
{
	switch (session->reading) {
	case READING_BLANKS:
		return skip_blanks(session, bytes);
	case READING_HEAD:
		return read_head(session, bytes);
	case READING_LENGTH:
		return read_length(session, input, bytes);
	case READING_CHUNKS:
		return read_chunks(session, bytes);
	case READING_PAUSED:
		break;
	case READING_NOTHING:
		session->lingers = true;
		return slice_make(NULL, 0);
	}
	return bytes;
}

/* The window counts between requests only: one that is half read must be able to go on. */
static bool pauses(const struct http_session *session)
{
	bool is_full = session->exchange_count >= session->server->limits.window
			|| session->exchange_bytes >= WINDOW_BYTES;
	bool is_held_up = is_full || session->server->frozen;
	return session->reading == READING_PAUSED || (session->reading == READING_BLANKS && is_held_up);
}

static struct slice read_all(
		struct http_session *session, struct http_input *input, struct slice bytes)
{
	session->feeding = true;
	while (bytes.len > 0 && !pauses(session)) {
		bytes = read_some(session, input, bytes);
		http_session_emit(session);
	}
	session->feeding = false;
	return bytes;
}

void http_session_feed(struct http_session *session, struct http_input *input, struct slice bytes)
{
	assert(session->held == NULL);
	session->server->counters.received_bytes += bytes.len;
	struct slice rest = read_all(session, input, bytes);
	if (rest.len == 0) {
		return;
	}
	/* A copy, so that a slow handler holds on to no more than it must. */
	session->held = http_inputs_copy(&session->server->inputs, rest);
	session->held_bytes = slice_make(session->held->data, rest.len);
}

static void take_up_held(struct http_session *session)
{
	if (session->held == NULL) {
		return;
	}
	session->held_bytes = read_all(session, session->held, session->held_bytes);
	if (session->held_bytes.len == 0) {
		http_input_unref(session->held);
		session->held = NULL;
	}
}

bool http_session_fill(struct http_session *session)
{
	http_session_emit(session);
	take_up_held(session);
	http_session_emit_continue(session);
	return http_session_has_output(session);
}

void http_session_end_input(struct http_session *session)
{
	http_session_drop_current(session);
	session->input_ended = true;
	session->reading = READING_NOTHING;
	session->lingers = false;
}

bool http_session_wants_input(const struct http_session *session)
{
	return !session->input_ended && session->held == NULL && !pauses(session);
}

bool http_session_has_more(const struct http_session *session)
{
	return http_session_may_emit(session) || (session->held != NULL && !pauses(session));
}

enum http_phase http_session_phase(const struct http_session *session)
{
	bool writes = !list_is_empty(&session->exchanges) || session->sending != NULL
			|| http_session_has_output(session);
	if (session->cut) {
		return HTTP_PHASE_CUT;
	}
	switch (session->reading) {
	case READING_BLANKS:
		if (writes) {
			return HTTP_PHASE_ANSWER;
		}
		return session->requests != 0 ? HTTP_PHASE_IDLE : HTTP_PHASE_HEAD;
	case READING_HEAD:
		return HTTP_PHASE_HEAD;
	case READING_PAUSED:
		return HTTP_PHASE_ANSWER;
	case READING_LENGTH:
	case READING_CHUNKS:
		return HTTP_PHASE_BODY;
	case READING_NOTHING:
		if (writes) {
			return HTTP_PHASE_ANSWER;
		}
		return session->lingers ? HTTP_PHASE_LINGER : HTTP_PHASE_OVER;
	}
	return HTTP_PHASE_OVER;
}
