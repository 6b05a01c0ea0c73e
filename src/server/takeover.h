#pragma once

/*
 * Upgrade in place: a new weir takes over from a running one, so that nobody
 * who is connected, connects or pushes notices. takeover_frame.h has what they
 * say to each other, takeover_give.h and takeover_take.h the two sides.
 */

#include <stdbool.h>

#include "server/parts.h"

/* Asks the weir in the data directory, and gets its sockets. False: the log says why. */
bool takeover_start(struct server *server);

/* Once all that can fail was done: loads what it stores. False: the log says why. */
bool takeover_end(struct server *server);

/* Hears who will take over from this weir, and goes on with the connections of the last one. */
void takeover_offer(struct server *server);

/* Starts the file of this program, with the same arguments, to take over. */
void takeover_spawn(struct server *server);

/* Forgets about the one that was started; it goes on. */
void takeover_forget_spawned(struct server *server);
