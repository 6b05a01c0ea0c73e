#pragma once

/*
 * Undoes the chunked transfer coding (RFC 9112, section 7.1), in pieces.
 *
 *	5;name=value CRLF hello CRLF 0 CRLF Trailer: x CRLF CRLF
 *
 * llhttp, built without its strict mode, takes any two bytes for the CRLF
 * after a chunk and a lone LF for a line's end; here both are errors.
 * Extensions and trailers are checked and thrown away.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum http_chunks_result {
	HTTP_CHUNKS_DATA = 0, /* ret_data are bytes of the body */
	HTTP_CHUNKS_MORE,     /* all bytes used, the body goes on */
	HTTP_CHUNKS_END,      /* the bytes used end with the body */
	HTTP_CHUNKS_E_LENGTH, /* no length where there must be one, or too large */
	HTTP_CHUNKS_E_SYNTAX, /* everything else */
};

enum http_chunks_state {
	CHUNK_LENGTH_START, /* before the first digit */
	CHUNK_LENGTH,
	CHUNK_BLANKS,    /* after the digits */
	CHUNK_EXTENSION, /* up to the end of the line */
	CHUNK_LENGTH_CR,
	CHUNK_DATA,
	CHUNK_DATA_END, /* before the CR after the data */
	CHUNK_DATA_CR,
	TRAILER_START, /* of a line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_CR,
	TRAILER_END_CR, /* of the empty line */
};

struct http_chunks {
	enum http_chunks_state state;
	uint64_t left;         /* of this chunk */
	size_t overhead_bytes; /* of extensions, trailers and leading zeros so far */
};

static inline void http_chunks_init(struct http_chunks *chunks)
{
	*chunks = (struct http_chunks){ .state = CHUNK_LENGTH_START };
}

/*
 * Goes on until there is data, an end or an error. ret_used tells how many of
 * the bytes were used, ret_data is set with HTTP_CHUNKS_DATA only; nothing is
 * set on an error.
 */
enum http_chunks_result http_chunks_feed(
		struct http_chunks *chunks, struct slice bytes, size_t *ret_used, struct slice *ret_data);
