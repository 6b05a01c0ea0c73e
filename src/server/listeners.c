#include "server/listeners.h"

#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "net/address.h"

static uint64_t to_ms(int64_t ns)
{
	return (uint64_t)ns / 1000000;
}

static bool listen_on(struct server *server, const char *text)
{
	struct net_timeouts timeouts = {
		.head_ms = to_ms(server->config->timeout_header_ns),
		.body_ms = to_ms(server->config->timeout_body_ns),
		.idle_ms = to_ms(server->config->timeout_idle_ns),
		.write_ms = to_ms(server->config->timeout_write_ns),
	};
	struct address address;
	struct sockaddr_storage socket;
	const char *what;
	if (!address_parse(slice_of_string(text), &address, &what)) {
		log_error("bad address flag=--web.listen-address address=%s error=%s", text, what);
		return false;
	}
	int fault = address_resolve(&server->loop, &address, &socket);
	if (fault != 0) {
		log_error("cannot resolve address=%s error=%s", text, uv_strerror(fault));
		return false;
	}
	server->listeners[server->listener_count].server = server;
	struct listener *listener = &server->listeners[server->listener_count++].listener;
	server->open_listeners++;
	fault = listener_open(
			listener, &server->loop, (struct sockaddr *)&socket, &server->http, &timeouts);
	listener->tls = server->tls.context == NULL ? NULL : &server->tls;
	if (fault != 0) {
		log_error("cannot listen address=%s error=%s", text, uv_strerror(fault));
		return false;
	}
	char shown[ADDRESS_TEXT_BYTES];
	listener_address(listener, &socket);
	address_format((struct sockaddr *)&socket, shown);
	printf("listening %s\n", shown);
	fflush(stdout);
	log_info("listening address=%s tls=%s", shown, listener->tls == NULL ? "off" : "on");
	return true;
}

bool listeners_open(struct server *server)
{
	const struct config_list *addresses = &server->config->web_listen_address;
	server->listeners = memory_zalloc(addresses->len, sizeof(server->listeners[0]));
	for (size_t i = 0; i < addresses->len; i++) {
		if (!listen_on(server, addresses->items[i])) {
			return false;
		}
	}
	return true;
}
