#include "server/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/systemd.h"

enum {
	TEXT_BYTES = 256,
	STATUS_EVERY_MS = 10 * 1000,
};

static void print_status(const struct server *server, char text[static TEXT_BYTES])
{
	const struct contents *contents = server->store.contents;
	snprintf(text, TEXT_BYTES, "STATUS=serving %zu groups, %zu series, %zu connections",
			(size_t)contents->group_count, (size_t)contents->series,
			(size_t)server->http.counters.connections_open);
}

/* A sign of life comes from the loop: one that hangs gives none. */
static void on_timer(uv_timer_t *timer)
{
	struct server *server = timer->data;
	char text[TEXT_BYTES];
	systemd_notify("WATCHDOG=1");
	uint64_t now_ms = uv_now(timer->loop);
	if (now_ms - server->status_ms >= STATUS_EVERY_MS) {
		server->status_ms = now_ms;
		print_status(server, text);
		systemd_notify(text);
	}
}

static void start_timer(struct server *server)
{
	uint64_t limit_ms = systemd_watchdog_ms();
	/* Half of what is allowed, as sd_watchdog_enabled(3) has it. */
	uint64_t every_ms = limit_ms / 2;
	if (every_ms == 0 || every_ms > STATUS_EVERY_MS) {
		every_ms = STATUS_EVERY_MS;
	}
	uv_timer_init(&server->loop, &server->notify_timer);
	server->notify_timer.data = server;
	server->status_ms = uv_now(&server->loop);
	uv_timer_start(&server->notify_timer, on_timer, every_ms, every_ms);
	uv_unref((uv_handle_t *)&server->notify_timer);
	server->has_notify_timer = true;
}

void notify_ready(struct server *server)
{
	if (server->is_stopping) {
		return;
	}
	char status[TEXT_BYTES];
	char text[2 * TEXT_BYTES];
	print_status(server, status);
	snprintf(text, sizeof(text), "READY=1\nMAINPID=%d\n%s", (int)getpid(), status);
	systemd_notify(text);
	if (!server->has_notify_timer) {
		start_timer(server);
	}
}

void notify_reloading(const struct server *server)
{
	if (server->is_stopping) {
		return;
	}
	char text[TEXT_BYTES];
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reloading",
			clock_monotonic_ns() / 1000);
	systemd_notify(text);
}

void notify_handed_over(int pid)
{
	char text[TEXT_BYTES];
	if (pid > 0) {
		snprintf(text, sizeof(text), "MAINPID=%d", pid);
		systemd_notify(text);
	}
}

void notify_stopping(struct server *server)
{
	if (!server->has_notify_timer) {
		return;
	}
	server->has_notify_timer = false;
	uv_close((uv_handle_t *)&server->notify_timer, NULL);
	/* The service goes on when another process does. */
	if (!server->is_handed_over) {
		systemd_notify("STOPPING=1\nSTATUS=finishing what runs");
	}
}

void notify_extend(void)
{
	char text[TEXT_BYTES];
	snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%" PRIu64, (uint64_t)NOTIFY_EXTEND_MS * 1000);
	systemd_notify(text);
}
