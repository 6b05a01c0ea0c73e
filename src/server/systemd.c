#include "server/systemd.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

const char *systemd_take_sockets(struct systemd_sockets *ret_sockets)
{
	*ret_sockets = (struct systemd_sockets){ .first = SD_LISTEN_FDS_START };
	/* What weir starts itself shall not take them for its own. */
	int count = sd_listen_fds_with_names(1, &ret_sockets->names);
	if (count < 0) {
		return strerror(-count);
	}
	ret_sockets->count = (size_t)count;
	return NULL;
}

void systemd_sockets_finish(struct systemd_sockets *sockets)
{
	for (size_t i = 0; sockets->names != NULL && sockets->names[i] != NULL; i++) {
		free(sockets->names[i]);
	}
	free(sockets->names);
	*sockets = (struct systemd_sockets){ 0 };
}

void systemd_notify(const char *lines)
{
	/* Nobody may be listening, or not any more: weir serves all the same. */
	(void)sd_notify(0, lines);
}

uint64_t systemd_watchdog_ms(void)
{
	uint64_t us = 0;
	return sd_watchdog_enabled(0, &us) > 0 ? us / 1000 : 0;
}
