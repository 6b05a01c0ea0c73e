#include "server/quit.h"

#include "base/log.h"
#include "server/server.h"

static void on_turn(struct job *job)
{
	server_stop(LIST_ENTRY(job, struct server, quitting));
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
