#pragma once

/*
 * Writes a state file, unit by unit, on any thread. A fault of the world stops
 * it for good; what is asked of it afterwards does nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "state/listing.h"

struct state_output {
	int fd; /* the caller's */
	struct buf buf;
	uint64_t salt;
	uint64_t records;
	uint64_t bytes; /* written so far */
	int fault;      /* negative errno; 0: none */
};

void state_output_begin(struct state_output *output, int fd);
void state_output_unit(struct state_output *output, const struct listing_unit *unit);

/* The end mark. False: see the fault. */
bool state_output_end(struct state_output *output);

/* Whether or not it came to its end. */
void state_output_finish(struct state_output *output);
