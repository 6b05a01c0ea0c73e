#pragma once

/*
 * Where targets are kept, as --targets.url says: the keeper between the registry and a
 * database, and what the server has to do for it.
 */

#include <stdbool.h>

struct server;
struct stats_targets;

/* The registry is empty; it waits to be filled, if there is a database. */
void keep_targets_init(struct server *server);

/* False: the log says why not. */
bool keep_targets_open(struct server *server);

/* on_closed is called, perhaps at once, when all is written that can be. */
void keep_targets_close(struct server *server, void (*on_closed)(struct server *server));

/* Nothing is left to be written; if there is, it is begun. */
bool keep_targets_is_at_rest(struct server *server);

void keep_targets_collect(const struct server *server, struct stats_targets *stats);
