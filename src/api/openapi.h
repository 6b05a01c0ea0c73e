#pragma once

/*
 * The description of weir's whole HTTP interface, as OpenAPI 3.0 has it: served at /openapi.json.
 *
 * It is written in openapi/, a file a tag, which scripts/join-openapi makes one of. A route
 * without a description, or a description without its route, fails tests/unit/test_openapi.c.
 */

#include "base/buf.h"

/* All of it but its servers; begins with a bracket. */
extern const char api_openapi[];

/* The description of what is below that prefix. */
void openapi_write(struct buf *out, struct slice prefix);
