#pragma once

/*
 * SIGHUP: flags, environment and the file of settings are read again. What can
 * change while weir runs takes effect at once; what cannot is named in the log
 * and stays as it is until the next start. When anything is wrong, nothing
 * changes at all.
 */

#include "server/parts.h"

/* True when the settings are good; else the log and a metric say that they are not. */
bool reload(struct server *server);

/* Puts in force what of the settings can change at any time; also at start. */
void reload_apply(struct server *server);
