#include "server/quit.h"

#include "base/log.h"
#include "server/server.h"

static void on_turn(struct job *job)
{
	struct server *server = LIST_ENTRY(job, struct server, quitting);
	/* A second time would cut what runs. */
	if (!server->is_stopping) {
		server_stop(server);
	}
}

void quit_on_request(void *data)
{
	struct server *server = data;
	if (!server->is_quitting && !server->is_stopping) {
		server->is_quitting = true;
		server->quitting = (struct job){ .done = on_turn };
		log_info("stopping by request");
		executor_defer(&server->worker.executor, &server->quitting);
	}
}
