#pragma once

/*
 * gzip (RFC 1952), one member or several, with the errors Go's compress/gzip
 * has for it: clients of a Pushgateway know these. For content.c.
 */

#include "http/content.h"

enum http_content_result http_gunzip(
		struct slice body, size_t limit_bytes, struct buf *decoded, struct buf *error);
