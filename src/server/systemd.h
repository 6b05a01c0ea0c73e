#pragma once

/*
 * What systemd hands over at the start and wants to hear. Where weir was built
 * without libsystemd (systemd_none.c), or was not started by systemd, nothing
 * is handed over and nobody listens.
 */

#include <stddef.h>
#include <stdint.h>

/* Sockets of a socket unit, to the end of the process. */
struct systemd_sockets {
	int first; /* descriptor; the others follow it */
	size_t count;
	char **names; /* FileDescriptorName= each; NULL: none */
};

/* Repeated, there are none. NULL, or why sockets cannot be had at all. */
const char *systemd_take_sockets(struct systemd_sockets *ret_sockets);
void systemd_sockets_finish(struct systemd_sockets *sockets);

/* Lines of NAME=value, as in sd_notify(3). */
void systemd_notify(const char *lines);

/* How long systemd waits for a sign of life before it ends weir, in ms; 0: for ever. */
uint64_t systemd_watchdog_ms(void);
