#pragma once

/*
 * What a signal does to weir.
 *
 *	SIGTERM, SIGINT   finish what runs and end; the second one cuts what still runs
 *	SIGHUP            read the settings again; never ends weir
 *	SIGUSR2           starts the program's file anew, which takes over
 */

#include "server/parts.h"

/*
 * What comes waits until signals_open(), or never has an effect: of those that do not
 * end weir, or of all of them.
 */
void signals_hold(void);
void signals_hold_all(void);

void signals_open(struct server *server);

/*
 * From here on none has an effect. The loop goes on until they are closed.
 * Repeatable, and nothing is done if they were never opened.
 */
void signals_close(struct server *server);
