#pragma once

/*
 * What is stored, kept durably: opens the state that the settings ask for, tells
 * the api how far it is, and says in the log what happens to it.
 */

#include <stdbool.h>

#include "server/parts.h"

/*
 * Begins to load what is kept; requests that need it wait meanwhile. False: weir
 * cannot start; the log says why.
 */
bool durability_open(struct server *server);

/* When nobody changes the store any more: stores what is left, then calls. */
void durability_close(struct server *server, void (*on_closed)(struct server *server));

/* When the loop is over. False: something could not be stored; the log says what. */
bool durability_finish(struct server *server);

/* The store is not complete yet, and nobody else may change it. */
bool durability_is_loading(const struct server *server);

/* The lock of the database, which stays; -1: none. */
int durability_lock(const struct server *server);

/*
 * Appends to the file what a weir that takes over has to know of the database.
 * From then on nothing is written to it, until it is resumed. False: errno says why.
 */
bool durability_hand_over(struct server *server, int fd);
void durability_resume(struct server *server);

/* Behind a takeover: the file stands where the weir before wrote that. */
void durability_take_over(struct server *server, int fd);

/* All changes are durable, or known not to be. */
bool durability_is_at_rest(const struct server *server);

/* Some changes cannot become durable before Redis is back. */
bool durability_is_stuck(const struct server *server);

/* Some changes cannot be stored at present, answered or not. */
bool durability_is_away(const struct server *server);

void durability_collect(const struct server *server, struct stats_state *stats);
