#pragma once

/*
 * The whole: owns every part and wires them. The one file that knows all rooms.
 */

#include "config/config.h"

/*
 * Looks at what the settings name, beyond what a table can say of them; nothing
 * is changed, nothing is listened on. False: the errors say what is wrong, a
 * line each.
 */
bool server_check(const struct config *config, struct buf *errors);

/* The same for the files that the settings name, and for those that these name. */
bool server_check_files(const struct config *config, struct buf *errors);

struct server;

/*
 * Runs until SIGTERM, SIGINT or server_stop(); at SIGHUP the settings are read again from the
 * input. Both stay the caller's. The process's exit code.
 */
int server_run(const struct config *config, const struct config_input *input);

/*
 * Takes no more connections and ends when the running requests are done;
 * repeated, they are cut. Not to be called while a request is being handled.
 */
void server_stop(struct server *server);
