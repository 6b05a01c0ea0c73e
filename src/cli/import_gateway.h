#pragma once

/*
 * A running Pushgateway as a source of groups: all that it has, with its push
 * times.
 *
 *     GET /api/v1/status    which version it is, and where its page is
 *     GET /metrics          what is in the families, as protobuf
 *     GET /api/v1/metrics   which groups there are, while they are handed on
 *
 * A group that something is pushed to between the last two is read again in
 * another round, with a new page. One that changes all the time is in the end
 * taken as the API says it.
 */

#include "cli/import_source.h"
#include "cli/remote.h"

struct import_gateway_options {
	struct remote_options remote;
	int64_t ttl_ns; /* what groups have left of their lives from now on; 0: for ever */
	bool is_quiet;
};

/* NULL when there is no Pushgateway, which has been said on stderr. */
struct import_source *import_gateway_open(
		const char *command, const struct import_gateway_options *options);
