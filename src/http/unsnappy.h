#pragma once

/*
 * Snappy in its framing format, with the errors of Go's snappy.Reader. The
 * bare block format is not this. For content.c.
 *
 * https://github.com/google/snappy/blob/main/framing_format.txt
 */

#include "http/content.h"

enum http_content_result http_unsnappy(
		struct slice body, size_t limit_bytes, struct buf *decoded, struct buf *error);
