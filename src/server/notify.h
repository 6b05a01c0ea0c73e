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

/*
 * What is left to be stored takes its time: systemd is to wait that much longer, from
 * now. To be said again before it is over.
 */
enum { NOTIFY_EXTEND_MS = 60000 };
void notify_extend(void);
