#pragma once

/*
 * The sockets that weir listens on.
 */

#include <stdbool.h>
#include <stdint.h>

#include "server/parts.h"

/*
 * Listens on every address of the config, or on what systemd passes. False: the
 * log says which could not be had; the others are open.
 */
bool listeners_open(struct server *server);

/* Says on stdout and in the log where weir listens. */
void listeners_announce(const struct server *server);

/* As listener_close() each; on_closed is called once for each. */
void listeners_close(
		struct server *server, uint64_t drain_ms, void (*on_closed)(struct listener *listener));

/* When all of them are closed. */
void listeners_free(struct server *server);
