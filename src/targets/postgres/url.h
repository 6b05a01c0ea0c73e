#pragma once

/*
 * The URL of a PostgreSQL, and the addresses that it leads to.
 *
 * A URL may name several hosts, and a name may have several addresses. They are tried one
 * after the other, each by a connection of its own: libpq, when not waited for, would look
 * names up on the loop, and would stay with an address that does not answer.
 */

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"

enum {
	POSTGRES_ADDRESSES_MAX = 32,
	POSTGRES_KEYWORDS_MAX = 64,
};

struct postgres_address {
	const char *host;     /* NULL: libpq's default; a name is still needed for its certificate */
	const char *port;     /* NULL: likewise */
	const char *hostaddr; /* NULL: the host is an address or a path */
};

struct postgres_url {
	PQconninfoOption *options;
	const char *password; /* NULL: as the options say */
	uv_loop_t *loop;
	struct arena arena; /* of the addresses; a new one with each look-up */
	struct postgres_address hosts[POSTGRES_ADDRESSES_MAX];
	size_t host_count;
	size_t host_next; /* whose name is being looked up */
	struct postgres_address addresses[POSTGRES_ADDRESSES_MAX];
	size_t address_count;
	uv_getaddrinfo_t request;
	bool is_resolving;
	bool is_closing;
	struct buf why; /* no address was found */
	/* The addresses are there, or none. */
	void (*on_resolved)(struct postgres_url *url);
	void (*on_closed)(struct postgres_url *url);
	void *data;
};

/* Of a text that was checked. */
void postgres_url_init(
		struct postgres_url *url, const char *text, const char *password, uv_loop_t *loop);

/* Looks all names up; on_resolved is called from a later turn of the loop. */
void postgres_url_resolve(struct postgres_url *url);

/* What libpq is given to connect to one of the addresses. */
void postgres_url_parameters(const struct postgres_url *url, size_t address,
		const char *keywords[static POSTGRES_KEYWORDS_MAX],
		const char *values[static POSTGRES_KEYWORDS_MAX]);

/* on_closed is called, perhaps at once, when nothing is under way any more. */
void postgres_url_close(struct postgres_url *url);
