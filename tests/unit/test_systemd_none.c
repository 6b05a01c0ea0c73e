/*
 * Without libsystemd: the same functions, and a sentence that says what to do.
 * Linked before the library, so that these are the ones in use.
 */

#include <stdlib.h>

#include "check.h"
#include "server/systemd.h"

static void test_sockets(void)
{
	struct systemd_sockets sockets;
	setenv("LISTEN_FDS", "1", 1);
	const char *what = systemd_take_sockets(&sockets);
	CHECK(what != NULL && strstr(what, "-Dsystemd=enabled") != NULL);
	CHECK_INT(sockets.count, 0);
	systemd_sockets_finish(&sockets);
}

static void test_notify(void)
{
	setenv("WATCHDOG_USEC", "1000", 1);
	systemd_notify("READY=1");
	CHECK_INT(systemd_watchdog_ms(), 0);
}

int main(void)
{
	RUN(test_sockets);
	RUN(test_notify);
	return check_done();
}
