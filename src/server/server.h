#pragma once

/*
 * The whole: owns every part and wires them. The one file that knows all rooms.
 */

#include "config/config.h"

/* Runs until SIGTERM or SIGINT. The process's exit code. */
int server_run(const struct config *config);
