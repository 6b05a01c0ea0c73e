#pragma once

/*
 * Tells systemd how weir is: that it serves, what it is doing, that it is
 * alive. After a takeover the new process says that it is the service now, so
 * the unit needs NotifyAccess=all. Once weir is being stopped, it says no more
 * than that its last saving needs time.
 */

#include <stdbool.h>
#include <uv.h>

#include "server/parts.h"

/* It serves, or serves again after a reload. Also starts the signs of life. */
void notify_ready(struct server *server);

/* The settings are being read again; ready follows. */
void notify_reloading(const struct server *server);

/* The process that goes on is the service, before this one ends and leaves none. */
void notify_handed_over(int pid);

/* It is being stopped, or another process goes on; the signs of life end. Repeatable. */
void notify_stopping(struct server *server);

/* The last saving, for which no loop runs; it may take longer than systemd waits for an end. */
struct notify_saving {
	uv_thread_t thread; /* asks for more time, again and again */
	bool has_thread;
	uv_mutex_t lock;
	uv_cond_t has_ended;
	bool is_over; /* under the lock */
};

void notify_saving_begin(struct notify_saving *saving);
void notify_saving_end(struct notify_saving *saving);
