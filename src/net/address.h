#pragma once

/*
 * Addresses to listen on, as people write them:
 *
 *	:9091            every interface, IPv6 and IPv4
 *	127.0.0.1:9091   one of them
 *	[::1]:9091       IPv6 needs brackets
 *	localhost:0      a name, looked up at start; port 0 stands for any free one
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/slice.h"

enum { ADDRESS_HOST_BYTES = 256, ADDRESS_TEXT_BYTES = 64 };

struct address {
	char host[ADDRESS_HOST_BYTES]; /* empty: every interface */
	uint16_t port;
};

/* False with what is wrong, to follow a colon. */
bool address_parse(struct slice text, struct address *ret_address, const char **reterr_what);

/* Looks names up, which may take a while. 0 or a libuv error. */
int address_resolve(
		uv_loop_t *loop, const struct address *address, struct sockaddr_storage *ret_socket);

/* "127.0.0.1:9091" or "[::1]:9091", NUL-terminated, for the log. */
void address_format(const struct sockaddr *socket, char ret_text[static ADDRESS_TEXT_BYTES]);

/*
 * A keyed hash of whose address it is, never 0: the port is left out, and of
 * IPv6 the half that anybody has to choose from.
 */
uint64_t address_owner(const struct sockaddr *socket);
