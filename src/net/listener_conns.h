#pragma once

/*
 * What connections need of their listener; for conn.c only.
 */

#include "net/conn.h"
#include "net/listener.h"

/* The buffer to read into, used by nobody else. */
struct http_input *listener_input(struct listener *listener);

void listener_remember(struct listener *listener, struct conn *conn);
void listener_forget(struct listener *listener, struct conn *conn);

/* Sets the deadline anew. */
void listener_wait(struct listener *listener, enum conn_wait wait, struct deadline *deadline);

/* Has the connection flushed in this turn of the loop or the next. */
void listener_flush_later(struct listener *listener, struct conn *conn);
