#pragma once

/*
 * The end of weir by request: PUT or POST /-/quit.
 */

#include "server/parts.h"

/*
 * For api_options::quit; data is the server. It stops on another turn of the
 * loop, when the request has its answer.
 */
void quit_on_request(void *data);
