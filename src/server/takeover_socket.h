#pragma once

/*
 * The Unix socket in the data directory by which a weir is asked to make room
 * for a new one. Its owner alone may use it, and who connects is asked who he
 * is: what is handed over are all connections and all that is stored.
 *
 * It is handed over with the rest, so a third weir that comes meanwhile waits
 * for the second.
 */

#include <stdbool.h>
#include <sys/socket.h>

#include "net/listen_socket.h"
#include "server/data_dir.h"

/* Listens; whoever holds the lock of the directory may. False with what is wrong. */
bool takeover_socket_open(
		const struct data_dir *dir, struct listen_socket *ret_socket, const char **reterr_what);

/* Goes on with what another process listens at. False with what is wrong; then fd is closed. */
bool takeover_socket_adopt(const struct data_dir *dir, int fd, struct listen_socket *ret_socket,
		const char **reterr_what);

/* To the weir that runs in the directory. 0 or an errno. */
int takeover_socket_connect(const struct data_dir *dir, int *ret_fd);

/* The process at the other end. False when the kernel does not say. */
bool takeover_socket_peer(int fd, struct ucred *ret_peer);
