#pragma once

/*
 * The old weir's half of a takeover: hears who asks, hands over its sockets,
 * and at the end its connections and all that is stored.
 *
 *	asked -> offers its sockets -> told that the new one is ready
 *	                                      |
 *	                                  has passwords checked to the end
 *	                                      |
 *	   goes on as ever <---- fails    freezes: reads and accepts nothing more,
 *	         ^                            answers what it has read
 *	         |                                |
 *	         '---- fails, or takes long   hands over, waits
 *	                                          |
 *	                                      said to be taken: finishes the answers
 *	                                      that are not all read, and ends
 *
 * Up to the last step nothing is lost by turning back: all sockets are still
 * held, and nothing that is stored was changed since.
 */

#include <stdbool.h>
#include <uv.h>

#include "net/listen_socket.h"

struct giving;
struct server;

struct takeover_giver {
	struct server *server;
	struct listen_socket socket;
	uv_poll_t poll;
	uv_timer_t pause; /* until who asks is heard again */
	bool is_open;
	bool is_deaf;          /* who asked last could not be accepted */
	struct giving *giving; /* under way, or NULL */
};

/* Takes the socket; the loop does not go on for it alone. */
void takeover_giver_open(
		struct takeover_giver *giver, struct server *server, const struct listen_socket *socket);

/* What is under way is given up. Repeatable, and nothing is done if it was never opened. */
void takeover_giver_close(struct takeover_giver *giver);
