#include "http/handover.h"

#include <inttypes.h>

#include "http/exchange.h"
#include "http/session.h"
#include "http/session_output.h"

bool http_handover_is_possible(const struct http_session *session)
{
	bool writes = !list_is_empty(&session->exchanges) || session->sending != NULL
			|| http_session_has_output(session) || session->output.taken;
	bool ends = session->cut || session->input_ended || session->reading == READING_NOTHING;
	bool waits = session->reading == READING_PAUSED; /* whether it is let in is decided here */
	return !writes && !ends && !waits;
}

/* The chunk that is being read begins anew as one with all the data that came so far. */
static void append_data(const struct http_chunks *chunks, struct slice data, struct buf *bytes)
{
	bool is_open = chunks->state == CHUNK_DATA;
	uint64_t length = data.len + (is_open ? chunks->left : 0);
	if (length == 0) {
		return;
	}
	buf_printf(bytes, "%" PRIx64 "\r\n", length);
	buf_append(bytes, data);
	bool is_closed = !is_open && chunks->state != CHUNK_DATA_END && chunks->state != CHUNK_DATA_CR;
	if (is_closed) {
		buf_append(bytes, SLICE("\r\n"));
	}
}

/* What leads to the state, from behind the data; names that nobody reads are made up. */
static void append_state(const struct http_chunks *chunks, struct buf *bytes)
{
	switch (chunks->state) {
	case CHUNK_LENGTH_START:
	case CHUNK_DATA:
	case CHUNK_DATA_END:
		break;
	case CHUNK_LENGTH:
		buf_printf(bytes, "%" PRIx64, chunks->left);
		break;
	case CHUNK_BLANKS:
		buf_printf(bytes, "%" PRIx64 " ", chunks->left);
		break;
	case CHUNK_EXTENSION:
		buf_printf(bytes, "%" PRIx64 ";", chunks->left);
		break;
	case CHUNK_LENGTH_CR:
		buf_printf(bytes, "%" PRIx64 "\r", chunks->left);
		break;
	case CHUNK_DATA_CR:
		buf_append(bytes, SLICE("\r"));
		break;
	case TRAILER_START:
		buf_append(bytes, SLICE("0\r\n"));
		break;
	case TRAILER_NAME:
		buf_append(bytes, SLICE("0\r\nx"));
		break;
	case TRAILER_VALUE:
		buf_append(bytes, SLICE("0\r\nx:"));
		break;
	case TRAILER_CR:
		buf_append(bytes, SLICE("0\r\nx:\r"));
		break;
	case TRAILER_END_CR:
		buf_append(bytes, SLICE("0\r\n\r"));
		break;
	}
}

static void append_request(const struct http_session *session, struct buf *bytes)
{
	const struct exchange_wire *wire = &session->current->wire;
	buf_append(bytes, buf_slice(&wire->head));
	if (session->reading == READING_LENGTH) {
		buf_append(bytes, buf_slice(&wire->body));
	} else if (session->reading == READING_CHUNKS) {
		append_data(&session->chunks, buf_slice(&wire->body), bytes);
		append_state(&session->chunks, bytes);
	}
}

void http_handover_save(
		const struct http_session *session, struct http_handover *ret_handover, struct buf *bytes)
{
	const struct exchange *current = session->current;
	bool skips = current == NULL && session->reading == READING_LENGTH;
	*ret_handover = (struct http_handover){
		.requests = session->requests - (current != NULL),
		.skip_bytes = skips ? session->left : 0,
		.continued = current != NULL && !current->wire.wants_continue,
	};
	if (current != NULL) {
		append_request(session, bytes);
	} else if (session->blank_cr) {
		buf_append_byte(bytes, '\r');
	}
	buf_append(bytes, session->held_bytes);
}

void http_handover_load(
		struct http_session *session, const struct http_handover *handover, struct slice bytes)
{
	session->requests = handover->requests;
	if (handover->skip_bytes != 0) {
		session->reading = READING_LENGTH;
		session->left = handover->skip_bytes;
	}
	if (bytes.len != 0) {
		http_session_feed(session, NULL, bytes);
	}
	if (session->current != NULL && handover->continued) {
		session->current->wire.wants_continue = false;
	}
}
