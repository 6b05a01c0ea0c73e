#pragma once

/*
 * --ingest.redis-lists: what is drained from the lists of a Redis is merged into groups, one a
 * list; what the server has to do for that.
 *
 *     drain reads a part of a list --> merge puts it into the store --> it is durable --> drain
 * takes it off
 */

#include <stdbool.h>

struct server;
struct stats_ingest;

/* Nothing, if nothing is to be drained. False: the log says why not. */
bool lists_open(struct server *server);

/* Nothing more is read, and nothing that is too old taken out; what was read is stored. */
void lists_pause(struct server *server);
void lists_resume(struct server *server);

/* What was read is stored, and off its list. */
bool lists_is_at_rest(const struct server *server);

/* Calls, perhaps at once, when nothing changes the store any more. */
void lists_close(struct server *server, void (*on_closed)(struct server *server));

/* When the loop is over. */
void lists_finish(struct server *server);

/* Settings were read anew. */
void lists_set_options(struct server *server);

void lists_collect(const struct server *server, struct stats_ingest *stats);
