#pragma once

/*
 * What the parts need to know of the settings, in their own terms.
 */

#include "server/parts.h"

struct api_options options_of_api(struct server *server);
struct http_limits options_of_http(const struct config *config);
struct registry_options options_of_targets(const struct config *config);
struct store_options options_of_store(const struct config *config);
