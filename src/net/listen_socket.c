#include "net/listen_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who may connect to a Unix socket: its owner and group. */
enum { FILE_MODE = 0660 };

static const char *what_failed(int fault)
{
	return uv_strerror(uv_translate_sys_error(fault));
}

/* ---- The file of a Unix socket ---- */

/* Whether somebody answers at the path of a Unix socket; else what to say. */
static const char *probe(const struct socket_address *address, bool *ret_is_stale)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return what_failed(errno);
	}
	int status = connect(fd, (const struct sockaddr *)&address->socket, address->len);
	int fault = status == 0 ? 0 : errno;
	close(fd);
	*ret_is_stale = fault == ECONNREFUSED;
	switch (fault) {
	case ECONNREFUSED:
	case ENOENT:
		return NULL;
	case 0:
	case EAGAIN:
		return "another process listens there: end it or choose another path";
	case EPROTOTYPE:
		return "a socket of another type is there: choose another path";
	default:
		return what_failed(fault);
	}
}

/* Removes what a process that was killed has left behind. */
static const char *make_way(const struct socket_address *address)
{
	struct stat status;
	const char *path = address_path(address);
	if (lstat(path, &status) != 0) {
		return NULL; /* if it is not free, bind(2) tells why */
	}
	if (!S_ISSOCK(status.st_mode)) {
		return "there is something that is no socket: remove it or choose another path";
	}
	bool is_stale = false;
	const char *what = probe(address, &is_stale);
	if (what == NULL && is_stale && unlink(path) != 0 && errno != ENOENT) {
		what = what_failed(errno);
	}
	return what;
}

void listen_socket_own_file(struct listen_socket *socket)
{
	struct stat status;
	const char *path = address_path(&socket->address);
	socket->owns_file = path != NULL && lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
	if (socket->owns_file) {
		socket->device = status.st_dev;
		socket->inode = status.st_ino;
	}
}

void listen_socket_disown_file(struct listen_socket *socket)
{
	socket->owns_file = false;
}

void listen_socket_remove_file(struct listen_socket *socket)
{
	struct stat status;
	const char *path = address_path(&socket->address);
	bool is_ours = socket->owns_file && lstat(path, &status) == 0 && status.st_dev == socket->device
			&& status.st_ino == socket->inode;
	if (is_ours) {
		unlink(path);
	}
	socket->owns_file = false;
}

/* ---- Sockets ---- */

static bool family_is_tcp(const struct socket_address *address)
{
	return address->socket.ss_family == AF_INET || address->socket.ss_family == AF_INET6;
}

static void get_address(struct listen_socket *socket)
{
	socket->address = (struct socket_address){ .len = sizeof(socket->address.socket) };
	getsockname(socket->fd, (struct sockaddr *)&socket->address.socket, &socket->address.len);
	socket->is_tcp = family_is_tcp(&socket->address);
}

static const char *make_socket(const struct socket_address *address, int *ret_fd)
{
	int family = address->socket.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 && family == AF_VSOCK && errno == EAFNOSUPPORT) {
		return "this kernel has no vsock: load vhost_vsock or vmw_vsock_virtio_transport, or "
			   "listen on TCP";
	}
	if (fd < 0) {
		return what_failed(errno);
	}
	*ret_fd = fd;
	return NULL;
}

/* A restart may bind while old connections linger; "::" means IPv4, too. */
static void set_options(int fd, int family)
{
	const int on = 1;
	const int off = 0;
	if (family == AF_INET || family == AF_INET6) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	}
}

/* Nobody can connect before listen(2): until then the mode of the file does not matter. */
static const char *begin_listening(int fd, const struct socket_address *address)
{
	const char *path = address_path(address);
	if (bind(fd, (const struct sockaddr *)&address->socket, address->len) != 0
			|| (path != NULL && chmod(path, FILE_MODE) != 0) || listen(fd, LISTEN_BACKLOG) != 0) {
		return what_failed(errno);
	}
	return NULL;
}

bool listen_socket_open(struct listen_socket *socket, const struct socket_address *address,
		const char **reterr_what)
{
	*socket = (struct listen_socket){ .fd = -1 };
	const char *what = address_path(address) != NULL ? make_way(address) : NULL;
	if (what == NULL) {
		what = make_socket(address, &socket->fd);
	}
	if (what == NULL) {
		set_options(socket->fd, address->socket.ss_family);
		what = begin_listening(socket->fd, address);
	}
	if (what != NULL) {
		listen_socket_close(socket);
		*reterr_what = what;
		return false;
	}
	get_address(socket);
	listen_socket_own_file(socket);
	return true;
}

bool listen_socket_adopt(struct listen_socket *ret_socket, int fd, const char **reterr_what)
{
	struct listen_socket socket = { .fd = fd };
	int type = 0;
	socklen_t len = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0) {
		*reterr_what = "is no socket";
		return false;
	}
	get_address(&socket);
	int family = socket.address.socket.ss_family;
	bool is_known = socket.is_tcp || family == AF_UNIX || family == AF_VSOCK;
	if (type != SOCK_STREAM || !is_known) {
		*reterr_what = "is no stream socket: pass one of TCP, Unix or vsock";
		return false;
	}
	*ret_socket = socket;
	return true;
}

void listen_socket_close(struct listen_socket *socket)
{
	if (socket->fd < 0) {
		return;
	}
	listen_socket_remove_file(socket);
	close(socket->fd);
	socket->fd = -1;
}
