#pragma once

/*
 * A response body that is produced in pieces, each when the one before has
 * been taken by the client.
 */

#include <stddef.h>

#include "base/slice.h"

enum http_body_state {
	HTTP_BODY_PIECE,  /* a piece was set */
	HTTP_BODY_LATER,  /* none yet; ready() will be called, on the loop thread */
	HTTP_BODY_END,    /* all was produced */
	HTTP_BODY_FAILED, /* cannot be completed: the connection must be cut */
};

/* The parts of a piece, in order, for one vectored write. */
struct http_piece {
	const struct slice *parts;
	size_t count;
};

struct http_body {
	/*
	 * The next piece; its parts stay valid until the next call of next() or
	 * close(). Not called again before ready() after LATER, nor after END.
	 */
	enum http_body_state (*next)(struct http_body *body, struct http_piece *ret_piece);
	/* Called once, whether the body was sent whole or not. Frees the body. */
	void (*close)(struct http_body *body);

	/* Set by the consumer. After LATER the body calls it once, never from inside next(). */
	void (*ready)(void *ready_data);
	void *ready_data;
};
