#pragma once

/*
 * What happened to connections and requests. Counted by http and net, read by
 * whoever shows weir's own metrics.
 */

#include <stddef.h>
#include <stdint.h>

struct http_counters {
	/* Connections. */
	size_t connections_open;
	size_t connections_max; /* most that were open at a time */
	uint64_t connections_total;
	uint64_t connections_refused; /* above the limit */
	uint64_t connections_failed;  /* accept(2) failed, as when out of descriptors */
	uint64_t idle_closed;         /* kept alive for nothing */
	uint64_t slow_readers_cut;    /* did not take their answer */

	/* Requests. */
	uint64_t requests; /* handed to the handler */
	uint64_t bad_requests;
	uint64_t unsupported; /* 417, 501, 505 */
	uint64_t headers_too_large;
	uint64_t bodies_too_large;
	uint64_t head_timeouts;
	uint64_t body_timeouts;

	uint64_t received_bytes;
	uint64_t sent_bytes;
};
