#pragma once

/*
 * Connections on their way from one weir to another: a record each in a file
 * in memory, in the order in which their sockets follow.
 */

#include <stdbool.h>
#include <stddef.h>

#include "server/parts.h"

struct conn;

/* Where each belongs among the new one's listeners, by the old one's. */
struct takeover_places {
	const size_t *of;
	size_t count;
};

/* The old one's connections that may move, in an array that is the caller's. */
size_t takeover_conns_collect(const struct server *server, struct conn ***ret_conns);

/* Whether one still takes an answer. */
bool takeover_conns_are_busy(const struct server *server);

/* Whether one is halfway, as conn_is_halfway() has it. */
bool takeover_conns_are_halfway(const struct server *server, bool or_idle);

/* A file with their records, or -1. */
int takeover_conns_write(const struct server *server, struct conn *const *conns, size_t count);

/*
 * Goes on with as many connections as there are sockets, which are closed
 * where that cannot be done. Calls handlers. How many there are now.
 */
size_t takeover_conns_adopt(struct server *server, int fd, const int *sockets, size_t count,
		const struct takeover_places *places);
