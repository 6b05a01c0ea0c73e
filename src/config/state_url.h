#pragma once

/*
 * --state.url: where what is stored is kept.
 *
 *     none                 in memory only
 *     sqlite:              a database, weir.db in the data directory
 *     sqlite:PATH          one at that path, seen from the working directory
 *     sqlite:///PATH       the same with a path that begins at the root
 */

#include <stdbool.h>

#include "base/buf.h"

enum state_scheme {
	STATE_SCHEME_NONE,
	STATE_SCHEME_SQLITE,
};

struct state_url {
	enum state_scheme scheme;
	const char *path; /* of a database, in the text; "": weir.db in the data directory */
};

/* For the table: whether it is such a URL. If not, `error` says why. */
bool state_url_check(const char *text, struct buf *error);

/* Of a text that was checked. */
struct state_url state_url_read(const char *text);
