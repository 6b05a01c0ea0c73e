#pragma once

/*
 * What a signal does to weir.
 *
 *	SIGTERM, SIGINT   finish what runs and end; the second one cuts what still runs
 *	SIGHUP            read the settings again; never ends weir
 *	SIGUSR2           starts the program's file anew, which takes over
 */

#include "server/parts.h"

void signals_open(struct server *server);

/*
 * From here on they are ignored. The loop goes on until they are closed.
 * Repeatable, and nothing is done if they were never opened.
 */
void signals_close(struct server *server);
