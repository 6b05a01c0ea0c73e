#pragma once

/*
 * Buffers that connections read into. One is shared by all connections; a
 * large body that lies whole in it is used in place, and the exchange then
 * holds on to the buffer while the connections go on with another one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/slice.h"

enum {
	/* Large enough for a scraped page in one read. */
	HTTP_INPUT_BYTES = 256 * 1024,
};

struct http_inputs {
	struct list spares; // http_input::link, of full size
	size_t spare_count;
	size_t pinned; /* of full size, in use; the shared one is among them */
};

struct http_input {
	struct list link;
	struct http_inputs *owner;
	size_t refs;
	size_t size;
	char data[];
};

void http_inputs_init(struct http_inputs *inputs);

/* All must have been given back. */
void http_inputs_finish(struct http_inputs *inputs);

/* A buffer of HTTP_INPUT_BYTES with one reference, the caller's. */
struct http_input *http_inputs_take(struct http_inputs *inputs);

/* One with a copy of the bytes, and no larger than that. */
struct http_input *http_inputs_copy(struct http_inputs *inputs, struct slice bytes);

/* Whether one more may be held on to; else copy what is needed. */
bool http_inputs_may_pin(const struct http_inputs *inputs);

struct http_input *http_input_ref(struct http_input *input);
void http_input_unref(struct http_input *input);
