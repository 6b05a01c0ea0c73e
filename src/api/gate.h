#pragma once

/*
 * What stands before every endpoint, in the order of Prometheus'
 * exporter-toolkit: the rate limit, the headers that every answer has, then
 * who is asking. Set up from --web.config.file, again whenever that changes.
 *
 * Answers to what is no HTTP, and to what is over the rate limit, are without
 * the headers, as there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "api/auth.h"
#include "api/rate_limit.h"
#include "base/buf.h"
#include "config/web_config.h"

struct exchange;

struct gate {
	struct rate_limit rate_limit;
	uint64_t rate_limited; /* requests answered 429 */
	struct buf headers;    /* lines, each ended by CRLF */
	struct auth auth;
};

void gate_init(struct gate *gate, struct executor *executor);

/* Nobody waits any more. */
void gate_finish(struct gate *gate);

/* Everything changes at once, for requests to come; keeps copies of what it needs. */
void gate_set(struct gate *gate, const struct web_config *config);

/* Nobody is kept out and nothing is added: requests need not be asked about. */
bool gate_is_open(const struct gate *gate);

/* For http_server::admit; data is the gate. */
bool gate_admit(void *data, struct exchange *exchange);
