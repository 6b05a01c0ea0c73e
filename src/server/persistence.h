#pragma once

/*
 * What is stored, kept over a restart in the file of --persistence.file: read
 * before anybody is answered, written some time after a change and at the end.
 */

#include <stdbool.h>

#include "server/parts.h"

/* Reads the file, if there is to be one. False: weir cannot start; the log says why. */
bool persistence_open(struct server *server);

/* When the server begins to stop: what is being written is given up. */
void persistence_close(struct server *server);

/*
 * When nobody can change the store any more and the loop is over: writes what is
 * not on disk yet. False: it could not be written; the log says why.
 */
bool persistence_finish(struct server *server);

void persistence_collect(const struct server *server, struct stats_state *stats);
