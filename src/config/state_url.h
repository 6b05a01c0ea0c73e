#pragma once

/*
 * --state.url: where what is stored is kept.
 *
 *     none                 in memory only
 *     sqlite:              a database, weir.db in the data directory
 *     sqlite:PATH          one at that path, seen from the working directory
 *     sqlite:///PATH       the same with a path that begins at the root
 *
 *     redis://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...][/DATABASE][?prefix=PREFIX]
 *     rediss://...         the same with TLS
 *     redis+unix://[USER:PASSWORD@]/PATH[?db=DATABASE&prefix=PREFIX]
 *
 * valkey is as good as redis, unix:// as redis+unix://. What is no plain character in a
 * user, a password or a socket's path is written %XX. What is said of a URL that does
 * not fit shows nothing of it, since a password may stand where it does not belong.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	STATE_PREFIX_MAX = 64,      /* bytes */
	STATE_DATABASE_MAX = 65535, /* of a Redis */
};

enum state_scheme {
	STATE_SCHEME_NONE,
	STATE_SCHEME_SQLITE,
	STATE_SCHEME_REDIS,
};

struct state_address {
	const char *host; /* a name or an address, IPv6 without its brackets; a socket's path */
	uint16_t port;    /* 0: `host` is a path */
};

/* No text is NULL. */
struct state_url {
	enum state_scheme scheme;
	const char *path; /* of a database; "": weir.db in the data directory */

	/* Of a Redis. */
	struct state_address *addresses;
	size_t address_count;
	const char *user;     /* "": the default one */
	const char *password; /* "": none */
	unsigned database;
	bool is_tls;
	const char *prefix; /* of all keys */

	char *text;   /* what the others point into */
	char *secret; /* of a file */
};

/* For the table: whether it is such a URL. If not, `error` says why. */
bool state_url_check(const char *text, struct buf *error);

/* What may be shown of a text that is none: a path as a whole, of a Redis the scheme. */
void state_url_print_wrong(const char *text, struct buf *out);

/* Of a text that was checked. */
struct state_url state_url_read(const char *text);
void state_url_finish(struct state_url *url);

/* The first line of a file is the password. If there is none, `error` says why. */
bool state_url_read_password(struct state_url *url, const char *path, struct buf *error);
