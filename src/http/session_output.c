#include "http/session_output.h"

#include "base/number.h"
#include "http/exchange.h"
#include "http/response.h"
#include "http/server.h"
#include "http/session.h"

enum {
	/* A smaller body or piece is copied behind the head. */
	COPIED_BYTES = 16 * 1024,
	/* Enough for one write. */
	TEXT_BYTES = 64 * 1024,
	/* What an idle connection keeps. */
	KEPT_TEXT_BYTES = 512,
};

bool http_session_has_output(const struct http_session *session)
{
	const struct http_output *output = &session->output;
	return output->text_sent < output->text.len || output->part_count != 0;
}

static bool next_is_answered(const struct http_session *session)
{
	struct list *link = list_first(&session->exchanges);
	return link != NULL && LIST_ENTRY(link, struct exchange, link)->answered;
}

bool http_session_may_emit(const struct http_session *session)
{
	if (session->cut) {
		return false;
	}
	return session->sending != NULL ? !session->stream_waits : next_is_answered(session);
}

static void drop_exchange(struct http_session *session, struct exchange *exchange)
{
	list_remove(&exchange->link);
	exchange->session = NULL;
	if (exchange->answered) {
		http_server_give_back(session->server, exchange);
	}
}

void http_session_drop_current(struct http_session *session)
{
	struct exchange *exchange = session->current;
	if (exchange == NULL) {
		return;
	}
	session->current = NULL;
	if (exchange->wire.awaits_admission) {
		exchange->session = NULL; /* whoever decides on it has it */
	} else {
		http_server_give_back(session->server, exchange);
	}
}

void http_session_drop_exchanges(struct http_session *session)
{
	if (session->sending != NULL) {
		drop_exchange(session, session->sending);
		session->sending = NULL;
	}
	LIST_EACH (link, &session->exchanges) {
		drop_exchange(session, LIST_ENTRY(link, struct exchange, link));
	}
	session->exchange_count = 0;
	session->exchange_bytes = 0;
}

/* Nothing comes after the answer that was just begun. */
static void end_with_this(struct http_session *session)
{
	LIST_EACH (link, &session->exchanges) {
		drop_exchange(session, LIST_ENTRY(link, struct exchange, link));
	}
	session->exchange_count = 0;
	session->exchange_bytes = 0;
	http_session_drop_current(session);
	if (session->reading != READING_NOTHING) {
		session->lingers = session->reading != READING_BLANKS;
		session->reading = READING_NOTHING;
	}
}

/* While draining or retiring, the last of the requests that were read ends the connection. */
static bool keeps_connection(const struct http_session *session, const struct exchange *exchange)
{
	bool last = list_is_empty(&session->exchanges) && session->current == NULL;
	return exchange->wire.keep_alive && !exchange->response.close
			&& http_response_framing(exchange) != FRAMING_CLOSE
			&& !((session->server->draining || session->retires) && last);
}

static void set_parts(struct http_session *session, const struct slice *parts, size_t count)
{
	session->output.parts = parts;
	session->output.part_count = count;
	session->output.part_sent = 0;
}

static void end_sending(struct http_session *session)
{
	struct exchange *exchange = session->sending;
	session->sending = NULL;
	http_server_give_back(session->server, exchange);
}

static void on_stream_ready(void *data)
{
	struct http_session *session = data;
	session->stream_waits = false;
	if (!session->feeding) {
		session->on_answer(session);
	}
}

/* The body of an answer whose head was just written. */
static void begin_answer_body(struct http_session *session, struct exchange *exchange)
{
	struct http_response *response = &exchange->response;
	bool wanted = exchange->request.method != METHOD_HEAD
			&& http_response_framing(exchange) != FRAMING_NONE;
	session->sending = exchange;
	if (wanted && response->stream != NULL) {
		response->stream->ready = on_stream_ready;
		response->stream->ready_data = session;
		session->stream_waits = false;
		session->chunk_open = false;
		return;
	}
	if (wanted && response->body.len > COPIED_BYTES) {
		set_parts(session, &response->body, 1);
		return;
	}
	if (wanted) {
		buf_append(&session->output.text, response->body);
	}
	end_sending(session);
}

static void emit_next_answer(struct http_session *session)
{
	struct list *link = list_first(&session->exchanges);
	struct exchange *exchange = LIST_ENTRY(link, struct exchange, link);
	list_remove(link);
	session->exchange_count--;
	session->exchange_bytes -= exchange->request.wire_bytes;

	bool keeps = keeps_connection(session, exchange);
	http_response_write_head(&session->output.text, &session->server->date, exchange, keeps);
	if (!keeps) {
		end_with_this(session);
	}
	begin_answer_body(session, exchange);
}

static size_t piece_bytes(const struct http_piece *piece)
{
	size_t bytes = 0;
	for (size_t i = 0; i < piece->count; i++) {
		bytes += piece->parts[i].len;
	}
	return bytes;
}

/* A small piece is copied, so that a small page goes out in one write. */
static void emit_piece(struct http_session *session, const struct http_piece *piece, bool chunked)
{
	struct buf *text = &session->output.text;
	size_t bytes = piece_bytes(piece);
	if (bytes == 0) {
		return; /* as a chunk it would be the end */
	}
	if (chunked) {
		buf_printf(text, "%s%zx\r\n", session->chunk_open ? "\r\n" : "", bytes);
		session->chunk_open = true;
	}
	if (bytes > COPIED_BYTES) {
		set_parts(session, piece->parts, piece->count);
		return;
	}
	for (size_t i = 0; i < piece->count; i++) {
		buf_append(text, piece->parts[i]);
	}
}

static void emit_stream(struct http_session *session)
{
	struct http_body *stream = session->sending->response.stream;
	bool chunked = http_response_framing(session->sending) == FRAMING_CHUNKS;
	struct http_piece piece = { 0 };

	switch (stream->next(stream, &piece)) {
	case HTTP_BODY_PIECE:
		emit_piece(session, &piece, chunked);
		break;
	case HTTP_BODY_LATER:
		session->stream_waits = true;
		break;
	case HTTP_BODY_END:
		if (chunked) {
			buf_append_string(
					&session->output.text, session->chunk_open ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
		}
		end_sending(session);
		break;
	case HTTP_BODY_FAILED:
		session->cut = true;
		break;
	}
}

void http_session_emit(struct http_session *session)
{
	const struct http_output *output = &session->output;
	while (!output->taken && output->part_count == 0 && output->text.len < TEXT_BYTES
			&& http_session_may_emit(session)) {
		if (session->sending != NULL) {
			emit_stream(session);
		} else {
			emit_next_answer(session);
		}
	}
}

void http_session_emit_continue(struct http_session *session)
{
	struct exchange *current = session->current;
	bool due = current != NULL && current->wire.wants_continue && !session->output.taken
			&& list_is_empty(&session->exchanges) && session->sending == NULL;
	if (due) {
		current->wire.wants_continue = false;
		buf_append(&session->output.text, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
	}
}

size_t http_session_output(struct http_session *session, struct slice *parts, size_t count)
{
	struct http_output *output = &session->output;
	size_t set = 0;
	if (output->text_sent < output->text.len) {
		parts[set++] = slice_skip(buf_slice(&output->text), output->text_sent);
	}
	for (size_t i = 0; i < output->part_count && set < count; i++) {
		bool begun = i == 0 && output->part_sent != 0;
		parts[set++] = begun ? slice_skip(output->parts[i], output->part_sent) : output->parts[i];
	}
	output->taken = set != 0;
	return set;
}

static void end_output(struct http_session *session)
{
	struct http_output *output = &session->output;
	output->taken = false;
	output->text_sent = 0;
	buf_reset(&output->text, KEPT_TEXT_BYTES);
	if (session->sending != NULL && session->sending->response.stream == NULL) {
		end_sending(session);
	}
}

bool http_session_wrote(struct http_session *session, size_t bytes)
{
	struct http_output *output = &session->output;
	session->server->counters.sent_bytes += bytes;

	size_t of_text = output->text.len - output->text_sent;
	of_text = bytes < of_text ? bytes : of_text;
	output->text_sent += of_text;
	bytes -= of_text;
	while (output->part_count != 0 && bytes >= output->parts[0].len - output->part_sent) {
		bytes -= output->parts[0].len - output->part_sent;
		output->parts++;
		output->part_count--;
		output->part_sent = 0;
	}
	output->part_sent += bytes;
	if (http_session_has_output(session)) {
		return false;
	}
	end_output(session);
	return true;
}

void http_session_answered(struct http_session *session)
{
	if (!session->feeding) {
		session->on_answer(session);
	}
}
