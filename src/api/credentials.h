#pragma once

/*
 * Who asks, as the Authorization header of HTTP's basic authentication says
 * it (RFC 7617), read as Go's http.Request.BasicAuth does; or a bearer token (RFC 6750).
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

struct credentials {
	struct slice user;     /* up to the first colon; may be empty */
	struct slice password; /* any bytes, colons included */
};

/*
 * Of a header's value: "Basic ", in any case, and base64 of "user:password".
 * The texts are in the arena. False: it says nothing, or something else.
 */
bool credentials_read(
		struct slice authorization, struct arena *arena, struct credentials *ret_credentials);

/* Of a header's value: "Bearer ", in any case, and the token. False: it says something else. */
bool credentials_read_token(struct slice authorization, struct slice *ret_token);
