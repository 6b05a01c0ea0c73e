#include "server/takeover.h"

#include <unistd.h>

#include "base/log.h"
#include "server/takeover_socket.h"
#include "server/takeover_stored.h"

bool takeover_start(struct server *server)
{
	/* The old one decides when it takes too long; who takes over waits a little longer. */
	enum { LONGER_MS = 10000 };
	uint64_t patience_ms = (uint64_t)server->config->timeout_takeover_ns / 1000000;
	return takeover_begin(&server->taker, &server->data_dir, 2 * patience_ms + LONGER_MS);
}

bool takeover_end(struct server *server)
{
	if (!takeover_complete(&server->taker, &server->takeover_state)) {
		return false;
	}
	takeover_stored_adopt(server);
	return true;
}

static void open_giver(struct server *server)
{
	struct listen_socket socket = server->taker.socket;
	const char *what;
	if (server->taker.is_active) {
		server->taker.socket.fd = -1; /* moves */
	} else if (!takeover_socket_open(&server->data_dir, &socket, &what)) {
		log_warn("no weir can take over from this one path=%s/takeover.sock error=%s",
				server->data_dir.path, what);
		return;
	}
	takeover_giver_open(&server->giver, server, &socket);
}

void takeover_offer(struct server *server)
{
	open_giver(server);
	if (server->taker.is_active) {
		int pid = server->taker.pid;
		size_t count = takeover_adopt(&server->taker, server);
		takeover_finish(&server->taker);
		log_info("took over pid=%d from=%d connections=%zu", (int)getpid(), pid, count);
	}
}
