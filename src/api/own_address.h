#pragma once

/*
 * Where weir is to be found, as whoever asks should have it: by --web.external-url, or
 * else by the address that the request was sent to.
 */

#include "api/api.h"

/*
 * host:port, and http or https. False with a sentence when nothing tells. In the arena,
 * or as long as the api.
 */
bool own_address_find(const struct api *api, const struct exchange *exchange, struct arena *arena,
		struct slice *ret_address, struct slice *ret_scheme, struct slice *reterr_text);
