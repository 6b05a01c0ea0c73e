#include "server/takeover_socket.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_MODE = 0600 };

/*
 * A path may be longer than the address of a socket: then the directory is
 * reached by a descriptor, which must stay open as long as the address is used.
 */
static void make_address(const struct data_dir *dir, struct socket_address *ret_address)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int len = snprintf(un.sun_path, sizeof(un.sun_path), "%s/takeover.sock", dir->path);
	if (len >= (int)sizeof(un.sun_path)) {
		snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/takeover.sock", dir->fd);
	}
	*ret_address = (struct socket_address){ .len = sizeof(un) };
	memcpy(&ret_address->socket, &un, sizeof(un));
}

bool takeover_socket_open(
		const struct data_dir *dir, struct listen_socket *ret_socket, const char **reterr_what)
{
	struct socket_address address;
	make_address(dir, &address);
	/* Nobody but its owner gets any further than the connect, whatever the mode was before. */
	if (!listen_socket_open(ret_socket, &address, reterr_what)) {
		return false;
	}
	if (chmod(address_path(&address), SOCKET_MODE) != 0) {
		*reterr_what = strerror(errno);
		listen_socket_close(ret_socket);
		return false;
	}
	return true;
}

bool takeover_socket_adopt(const struct data_dir *dir, int fd, struct listen_socket *ret_socket,
		const char **reterr_what)
{
	if (!listen_socket_adopt(ret_socket, fd, reterr_what)) {
		close(fd);
		return false;
	}
	make_address(dir, &ret_socket->address);
	return true;
}

int takeover_socket_connect(const struct data_dir *dir, int *ret_fd)
{
	struct socket_address address;
	make_address(dir, &address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return errno;
	}
	if (connect(fd, (const struct sockaddr *)&address.socket, address.len) != 0) {
		int fault = errno;
		close(fd);
		return fault;
	}
	*ret_fd = fd;
	return 0;
}

bool takeover_socket_peer(int fd, struct ucred *ret_peer)
{
	socklen_t len = sizeof(*ret_peer);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &len) == 0;
}
