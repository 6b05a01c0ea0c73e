#pragma once

/*
 * The new weir's half of a takeover. It happens before the loop runs, step by
 * step, and waits where it must: nobody depends on this process yet.
 *
 *	begin      greets, gets the lock of the directory and the sockets
 *	find       gives out a socket that is to be listened at, too
 *	complete   all that can fail was done: has the old one hand over and loads it
 *	adopt      goes on with its connections
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/listen_socket.h"
#include "server/data_dir.h"
#include "server/takeover_channel.h"
#include "server/takeover_state.h"

struct server;
struct takeover_offer;

/* How the name begins of a socket that systemd passed. */
#define TAKEOVER_PASSED "systemd:"

struct takeover_taker {
	bool is_active;
	struct takeover_channel channel;
	int pid;              /* of the old one */
	int process;          /* the same as a descriptor; -1: the kernel has none */
	uint64_t patience_ms; /* for each thing that it says */
	struct takeover_offer *offers;
	size_t offer_count;
	struct listen_socket socket; /* by which the next one will ask */
	int state_lock;              /* of the file of whoever keeps what is stored, or any other */
	int state_file;
	int conns_file;
	int *sockets; /* of connections */
	size_t socket_count;
	size_t socket_total;
};

/* False: the log says why. Finish it in either case. */
bool takeover_begin(struct takeover_taker *taker, struct data_dir *dir, uint64_t patience_ms);

/* What is still held is closed. Does nothing if there was no takeover. */
void takeover_finish(struct takeover_taker *taker);

/*
 * The old one's socket of that name, or bound to that address; place is where
 * it will be among the listeners. False: there is none.
 */
bool takeover_find(struct takeover_taker *taker, const char *name,
		const struct socket_address *address, size_t place, struct listen_socket *ret_socket);

/* Sockets that the old one was passed by systemd: how many, and the next one with its name. */
size_t takeover_count_passed(const struct takeover_taker *taker);
const char *takeover_find_passed(
		struct takeover_taker *taker, size_t place, struct listen_socket *ret_socket);

/* The lock of takeover_state::lock, if it is on the same file as `like`; else -1. The caller's. */
int takeover_take_lock(struct takeover_taker *taker, int like);

/* False: the log says why, and the old one goes on as before. */
bool takeover_complete(struct takeover_taker *taker, const struct takeover_state *state);

/* The connections, once the server listens; how many there are. */
size_t takeover_adopt(struct takeover_taker *taker, struct server *server);
