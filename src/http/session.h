#pragma once

/*
 * The HTTP side of one connection, without the socket: bytes in, exchanges to
 * the handler, bytes out.
 *
 *	     feed()              on_request          exchange_answer()
 *	bytes -----> head, body -----------> handler -----------------> in order
 *	                                                                   |
 *	bytes <----- output(), wrote() <------- fill() <-------------------+
 *
 * Requests are read ahead of their answers up to a window. Answers go out in
 * order; small ones are gathered, so that one write takes a batch of them. A
 * streamed body gives one piece at a time, and the next when that is written.
 *
 * http_server::admit() may put off a request by its head; until it is decided
 * on, nothing is read.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/slice.h"
#include "http/chunks.h"
#include "http/head_scan.h"
#include "http/input.h"
#include "http/refusal.h"
#include "http/request.h"

struct exchange;
struct http_server;

enum { HTTP_PEER_NAME_MAX = 48 }; /* of an IPv6 address with its NUL */

/* What is being waited for; each has its own deadline. */
enum http_phase {
	HTTP_PHASE_HEAD, /* a request's head, or the first byte of a new connection */
	HTTP_PHASE_BODY,
	HTTP_PHASE_ANSWER, /* the client waits: answers are made or written, or it is let in */
	HTTP_PHASE_IDLE,   /* nothing is going on; the connection is kept */
	HTTP_PHASE_LINGER, /* the last answer was written while the client may be sending */
	HTTP_PHASE_OVER,   /* the last answer was written: close */
	HTTP_PHASE_CUT,    /* a body failed half-way: cut, so that the client notices */
};

/* What the next byte belongs to. */
enum http_reading {
	READING_BLANKS, /* blank lines before a request, or its first byte */
	READING_HEAD,
	READING_PAUSED, /* until the request whose head was read is let in or turned away */
	READING_LENGTH, /* a body of known length */
	READING_CHUNKS,
	READING_NOTHING, /* the last request was read; the rest is thrown away */
};

/* Bytes to be written: text first, then the parts. */
struct http_output {
	struct buf text;
	size_t text_sent;
	const struct slice *parts;
	size_t part_count;
	size_t part_sent; /* bytes of the first part */
	bool taken;       /* the owner writes it: no changes until it is all written */
};

struct http_session {
	struct http_server *server;
	/* There may be something to write: call http_session_fill(), but not from in here. */
	void (*on_answer)(struct http_session *session);
	uint64_t peer;  /* a keyed hash of the client's address, set by the owner; 0: unknown */
	bool is_secure; /* TLS, set by the owner */
	char peer_name[HTTP_PEER_NAME_MAX]; /* that address as text; "": unknown, or none that tells */

	/* In. */
	enum http_reading reading;
	bool blank_cr;     /* a CR of a blank line was read */
	bool lingers;      /* the client may send what nobody reads */
	bool feeding;      /* input is being read: answers given meanwhile need no on_answer() */
	bool input_ended;  /* the client sends no more */
	bool retires;      /* set by the owner: as http_server::draining, for this one alone */
	uint64_t requests; /* begun so far */
	struct head_scan scan;
	struct http_chunks chunks;
	uint64_t left;            /* of a body of known length */
	struct http_head head;    /* of the current exchange, once it is read */
	struct exchange *current; /* being read; NULL for a body to be thrown away, too */
	struct http_input *held;  /* where held_bytes lie, or NULL */
	struct slice held_bytes;  /* input that waits for the window, or for the end of a pause */

	/* Out. */
	struct list exchanges; // exchange::link, read and not yet written, oldest first
	size_t exchange_count;
	size_t exchange_bytes;    /* their requests' */
	struct exchange *sending; /* its head was written, of its body there is more */
	bool stream_waits;        /* for the stream's ready() */
	bool chunk_open;          /* the CRLF after a chunk is due */
	bool cut;
	struct http_output output;
};

void http_session_init(struct http_session *session, struct http_server *server,
		void (*on_answer)(struct http_session *session));

/*
 * The client is gone. Exchanges without an answer live on until they get one,
 * answered ones are dropped, streams closed.
 */
void http_session_finish(struct http_session *session);

/*
 * Takes all of the bytes, which lie in the input, while input is wanted. Calls
 * handlers. With input NULL large bodies are copied, too.
 */
void http_session_feed(struct http_session *session, struct http_input *input, struct slice bytes);

/* The client will send no more; what is half read is dropped. While input is wanted, too. */
void http_session_end_input(struct http_session *session);

/* Refuses the request that is being read, or the connection as a whole. */
void http_session_refuse(struct http_session *session, enum http_refusal refusal);

/* False while enough was read ahead: stop reading from the socket. */
bool http_session_wants_input(const struct http_session *session);

/*
 * Makes output of what was answered, but no more than one piece of a stream;
 * takes up input that waited. Calls handlers. True when there is output.
 */
bool http_session_fill(struct http_session *session);

/*
 * The first parts of the output, which stay as they are until all of them were
 * written; returns how many were set.
 */
size_t http_session_output(struct http_session *session, struct slice *parts, size_t count);

/* That many bytes of it were written. True when none are left. */
bool http_session_wrote(struct http_session *session, size_t bytes);

/* Whether fill() would make output, or use input, once all is written. */
bool http_session_has_more(const struct http_session *session);

enum http_phase http_session_phase(const struct http_session *session);

/* From exchange_answer(). */
void http_session_answered(struct http_session *session);

/* From exchange_admit(), and from exchange_answer() instead of it: reading goes on. */
void http_session_admit(struct http_session *session);
void http_session_turn_away(struct http_session *session);
