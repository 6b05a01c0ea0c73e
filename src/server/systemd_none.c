#include "server/systemd.h"

const char *systemd_take_sockets(struct systemd_sockets *ret_sockets)
{
	*ret_sockets = (struct systemd_sockets){ 0 };
	return "weir was built without libsystemd: build it with -Dsystemd=enabled, or listen on an "
		   "address";
}

void systemd_sockets_finish(struct systemd_sockets *sockets)
{
}

void systemd_notify(const char *lines)
{
}

uint64_t systemd_watchdog_ms(void)
{
	return 0;
}
