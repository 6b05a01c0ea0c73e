#pragma once

/*
 * The sockets that weir listens on.
 */

#include <stdbool.h>

#include "server/parts.h"

/*
 * Listens on every address of the config, and says so on stdout and in the
 * log. False: the log says which could not be had; the others are open.
 */
bool listeners_open(struct server *server);
