#pragma once

/*
 * What is stored, kept over a restart in the file of --persistence.file: read
 * before anybody is answered, written some time after a change and at the end.
 */

#include <stdbool.h>

#include "server/parts.h"

/* Reads the file, if there is to be one and no running weir is taken over. False: weir cannot
 * start; the log says why. */
bool persistence_open(struct server *server);

/*
 * What is stored came from another weir: all of it is to be written, and soon, since
 * nobody knows how long the oldest change has waited there.
 */
void persistence_mark_changed(struct server *server);

/* While held, the file is not begun to be written; what is being written goes on. */
void persistence_hold(struct server *server, bool is_held);

/* Whether the file is being written. */
bool persistence_is_saving(const struct server *server);

/* The lock of the file, which stays; -1: none. */
int persistence_lock(const struct server *server);

/* When the server begins to stop: what is being written is given up. */
void persistence_close(struct server *server);

/*
 * When nobody can change the store any more and the loop is over: writes what is
 * not on disk yet. False: it could not be written; the log says why.
 */
bool persistence_finish(struct server *server);

void persistence_collect(const struct server *server, struct stats_state *stats);
