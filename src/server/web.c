#include "server/web.h"

#include "api/gate.h"

static void apply(void *data, const struct web_config *config)
{
	struct server *server = data;
	gate_set(&server->gate, config);
	server->http.admit = gate_is_open(&server->gate) ? NULL : gate_admit;
	server->http.admit_data = &server->gate;
}

void web_subscribe(struct server *server)
{
	server->web = (struct web_subscriber){ .apply = apply, .data = server };
	web_file_subscribe(&server->web_file, &server->web);
}
