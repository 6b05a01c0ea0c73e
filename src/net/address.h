#pragma once

/*
 * Addresses to listen on, as people write them:
 *
 *	:9091                every interface, IPv6 and IPv4
 *	127.0.0.1:9091       one of them
 *	[::1]:9091           IPv6 needs brackets
 *	localhost:0          a name, looked up at start; port 0 stands for any free one
 *	unix:/run/weir.sock  a Unix socket, by an absolute path
 *	unix:@weir           one in the abstract namespace, which leaves no file
 *	vsock://:9091        every context of a virtual machine's vsock
 *	vsock://3:9091       one of them, by its number
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/slice.h"

/* A host's name or the path of a Unix socket with its NUL; an address as text. */
enum { ADDRESS_HOST_BYTES = 256, ADDRESS_TEXT_BYTES = 160 };

enum address_kind {
	ADDRESS_TCP,
	ADDRESS_UNIX,
	ADDRESS_VSOCK,
};

struct address {
	enum address_kind kind;
	char host[ADDRESS_HOST_BYTES]; /* of TCP, empty: every interface; or the path, or @name */
	uint32_t context;              /* of vsock */
	uint32_t port;
};

/* What a socket is bound to. */
struct socket_address {
	struct sockaddr_storage socket;
	socklen_t len;
};

/* False with what is wrong, to follow a colon. */
bool address_parse(struct slice text, struct address *ret_address, const char **reterr_what);

/* Looks names up, which may take a while. 0 or a libuv error. */
int address_resolve(
		uv_loop_t *loop, const struct address *address, struct socket_address *ret_socket);

/* As address_parse() reads it, NUL-terminated, for the log. */
void address_format(const struct socket_address *socket, char ret_text[static ADDRESS_TEXT_BYTES]);

/* The host of a TCP address alone; "" for others. IPv4 in IPv6's clothes is shown as it is. */
void address_format_host(const struct sockaddr *socket, char *ret_text, size_t size);

/* Of a TCP or vsock address; 0 for others. */
uint32_t address_port(const struct socket_address *socket);

/* The path of a Unix socket's file; NULL when it has none. */
const char *address_path(const struct socket_address *socket);

/*
 * A keyed hash of whose address it is, never 0: the port is left out, and of
 * IPv6 the half that anybody has to choose from.
 */
uint64_t address_owner(const struct sockaddr *socket);
