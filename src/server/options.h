#pragma once

/*
 * What the parts need to know of the settings, in their own terms.
 */

#include "api/api.h"
#include "config/config.h"
#include "http/server.h"
#include "store/store.h"

struct api_options options_of_api(const struct config *config);
struct http_limits options_of_http(const struct config *config);
struct store_options options_of_store(const struct config *config);
