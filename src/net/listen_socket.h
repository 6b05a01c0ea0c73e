#pragma once

/*
 * Sockets that listen, before and apart from whoever accepts from them: TCP,
 * Unix or vsock, made here or by somebody else.
 *
 * A Unix socket's file may be used by its owner and group (mode 0660). It is
 * removed at a clean end, unless it is not the one that was made here any
 * more. One that nobody answers at is replaced; what is no socket is left
 * alone.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "net/address.h"

enum { LISTEN_BACKLOG = 4096 }; /* the kernel's net.core.somaxconn caps it */

struct listen_socket {
	int fd; /* -1: none */
	bool is_tcp;
	bool owns_file; /* of that device and inode */
	dev_t device;
	ino_t inode;
	struct socket_address address; /* the real one, when port 0 was asked for */
};

/* False with what is wrong, to follow a colon. */
bool listen_socket_open(struct listen_socket *socket, const struct socket_address *address,
		const char **reterr_what);

/* Takes one that somebody else made; not on failure. Its file stays theirs. */
bool listen_socket_adopt(struct listen_socket *socket, int fd, const char **reterr_what);

/* From here on its file, if there is one, is removed by this process. */
void listen_socket_own_file(struct listen_socket *socket);

/* Somebody else goes on with it: its file stays. */
void listen_socket_disown_file(struct listen_socket *socket);

/* Removes the file: nobody new comes in by it. */
void listen_socket_remove_file(struct listen_socket *socket);

/* Repeatable. */
void listen_socket_close(struct listen_socket *socket);
