#include "server/signals.h"

#include <signal.h>

#include "base/log.h"
#include "server/notify.h"
#include "server/reload.h"
#include "server/server.h"
#include "server/takeover.h"

static const struct {
	int number;
	const char *name;
} signals[SERVER_SIGNALS] = {
	{ SIGTERM, "SIGTERM" },
	{ SIGINT, "SIGINT" },
	{ SIGHUP, "SIGHUP" },
	{ SIGUSR2, "SIGUSR2" },
};

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *server = handle->data;
	const char *name = signals[handle - server->signals].name;
	switch (number) {
	case SIGTERM:
	case SIGINT:
		log_info("%s signal=%s", server->is_stopping ? "stopping at once" : "stopping", name);
		server_stop(server);
		break;
	case SIGUSR2:
		takeover_spawn(server);
		break;
	case SIGHUP:
		if (!server->is_stopping) { /* else what it would set may be gone */
			notify_reloading(server);
			reload(server);
			notify_ready(server);
		}
		break;
	}
}

static void change_mask(int how, bool ends_too)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < SERVER_SIGNALS; i++) {
		bool ends = signals[i].number == SIGTERM || signals[i].number == SIGINT;
		if (ends_too || !ends) {
			sigaddset(&set, signals[i].number);
		}
	}
	pthread_sigmask(how, &set, NULL);
}

void signals_hold(void)
{
	change_mask(SIG_BLOCK, false);
}

void signals_hold_all(void)
{
	change_mask(SIG_BLOCK, true);
}

void signals_open(struct server *server)
{
	server->has_signals = true;
	for (size_t i = 0; i < SERVER_SIGNALS; i++) {
		uv_signal_t *handle = &server->signals[i];
		uv_signal_init(&server->loop, handle);
		handle->data = server;
		uv_signal_start(handle, on_signal, signals[i].number);
	}
	change_mask(SIG_UNBLOCK, true);
}

void signals_close(struct server *server)
{
	if (!server->has_signals) {
		return;
	}
	server->has_signals = false;
	/* The end is under way: what comes now must not make it a bad one. */
	signals_hold_all();
	for (size_t i = 0; i < SERVER_SIGNALS; i++) {
		uv_close((uv_handle_t *)&server->signals[i], NULL);
	}
}
