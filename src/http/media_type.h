#pragma once

/*
 * What a body is, by its Content-Type (RFC 9110, section 8.3).
 */

#include <stdbool.h>

#include "base/slice.h"

/* The value of a parameter, without its quotes; ptr NULL when it is absent. */
struct slice media_type_parameter(struct slice content_type, struct slice name);

/* Delimited protobuf, as the Go and Java clients push it. */
bool media_type_is_protobuf(struct slice content_type);

/* Fields as a page's form sends them, and as they are in a query: a=b&c=d. */
bool media_type_is_form(struct slice content_type);

/*
 * OpenMetrics text of version 1.0.0 or 0.0.1, or of none, in UTF-8. What is
 * neither this nor protobuf is text.
 */
bool media_type_is_openmetrics(struct slice content_type);
