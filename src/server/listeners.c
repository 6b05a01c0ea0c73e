#include "server/listeners.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "net/address.h"
#include "net/listen_socket.h"
#include "server/systemd.h"

static uint64_t to_ms(int64_t ns)
{
	return (uint64_t)ns / 1000000;
}

static struct net_timeouts timeouts_of(const struct config *config)
{
	return (struct net_timeouts){
		.head_ms = to_ms(config->timeout_header_ns),
		.body_ms = to_ms(config->timeout_body_ns),
		.idle_ms = to_ms(config->timeout_idle_ns),
		.write_ms = to_ms(config->timeout_write_ns),
	};
}

static bool open_socket(struct server *server, const char *text, struct listen_socket *ret_socket)
{
	struct address address;
	struct socket_address resolved;
	const char *what;
	if (!address_parse(slice_of_string(text), &address, &what)) {
		log_error("bad address flag=--web.listen-address address=%s error=%s", text, what);
		return false;
	}
	int fault = address_resolve(&server->loop, &address, &resolved);
	if (fault != 0) {
		log_error("cannot resolve address=%s error=%s", text, uv_strerror(fault));
		return false;
	}
	if (takeover_find(&server->taker, text, &resolved, server->listener_count, ret_socket)) {
		return true;
	}
	if (!listen_socket_open(ret_socket, &resolved, &what)) {
		log_error("cannot listen address=%s error=%s", text, what);
		return false;
	}
	return true;
}

/* The socket is the server's from here on. */
static bool listen_at(struct server *server, const char *name, const struct listen_socket *socket)
{
	struct net_timeouts timeouts = timeouts_of(server->config);
	struct server_listener *slot = &server->listeners[server->listener_count++];
	server->open_listeners++;
	slot->server = server;
	slot->socket = *socket;
	slot->name = memory_copy_string(name);
	int fault =
			listener_open(&slot->listener, &server->loop, &slot->socket, &server->http, &timeouts);
	slot->listener.tls = server->tls.context == NULL ? NULL : &server->tls;
	if (fault != 0) {
		log_error("cannot accept connections error=%s", uv_strerror(fault));
	}
	return fault == 0;
}

static bool open_addresses(struct server *server)
{
	const struct config_list *addresses = &server->config->web_listen_address;
	server->listeners = memory_zalloc(addresses->len, sizeof(server->listeners[0]));
	for (size_t i = 0; i < addresses->len; i++) {
		struct listen_socket socket;
		const char *name = addresses->items[i];
		if (!open_socket(server, name, &socket) || !listen_at(server, name, &socket)) {
			return false;
		}
	}
	return true;
}

/* ---- systemd's sockets ---- */

static bool listen_at_passed(struct server *server, const struct systemd_sockets *sockets)
{
	server->listeners = memory_zalloc(sockets->count, sizeof(server->listeners[0]));
	for (size_t i = 0; i < sockets->count; i++) {
		struct listen_socket socket;
		const char *name = sockets->names == NULL ? "unknown" : sockets->names[i];
		char shown[ADDRESS_TEXT_BYTES];
		const char *what;
		snprintf(shown, sizeof(shown), TAKEOVER_PASSED "%s", name);
		if (!listen_socket_adopt(&socket, sockets->first + (int)i, &what)) {
			log_error("cannot listen on what systemd passes name=%s error=%s", name, what);
			return false;
		}
		if (!listen_at(server, shown, &socket)) {
			return false;
		}
	}
	return true;
}

static bool open_passed(struct server *server)
{
	struct systemd_sockets sockets;
	const char *what = systemd_take_sockets(&sockets);
	if (what == NULL && sockets.count == 0) {
		what = "systemd passes no socket: start weir by a socket unit, or without the flag";
	}
	bool is_open = what == NULL && listen_at_passed(server, &sockets);
	if (what != NULL) {
		log_error("cannot listen flag=--web.systemd-socket error=%s", what);
	}
	systemd_sockets_finish(&sockets);
	return is_open;
}

/* The old weir has them. */
static bool take_over_passed(struct server *server)
{
	size_t count = takeover_count_passed(&server->taker);
	if (count == 0) {
		log_error("cannot take over flag=--web.systemd-socket error=%s",
				"the running weir has no sockets from systemd: start it anew");
		return false;
	}
	server->listeners = memory_zalloc(count, sizeof(server->listeners[0]));
	struct listen_socket socket;
	const char *name;
	while ((name = takeover_find_passed(&server->taker, server->listener_count, &socket)) != NULL) {
		if (!listen_at(server, name, &socket)) {
			return false;
		}
	}
	return true;
}

bool listeners_open(struct server *server)
{
	if (!server->config->web_systemd_socket) {
		return open_addresses(server);
	}
	return server->taker.is_active ? take_over_passed(server) : open_passed(server);
}

void listeners_announce(const struct server *server)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		char shown[ADDRESS_TEXT_BYTES];
		address_format(&server->listeners[i].socket.address, shown);
		printf("listening %s\n", shown);
		log_info("listening address=%s tls=%s", shown,
				server->listeners[i].listener.tls == NULL ? "off" : "on");
	}
	fflush(stdout);
}

void listeners_close(
		struct server *server, uint64_t drain_ms, void (*on_closed)(struct listener *listener))
{
	for (size_t i = 0; i < server->listener_count; i++) {
		listen_socket_close(&server->listeners[i].socket);
		listener_close(&server->listeners[i].listener, drain_ms, on_closed);
	}
}

void listeners_free(struct server *server)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		free(server->listeners[i].name);
	}
	free(server->listeners);
}
