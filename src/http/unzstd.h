#pragma once

/*
 * zstd (RFC 8878), any number of frames, skippable ones included; none is an
 * empty body. The window is at most 8 MiB, as RFC 9659 has it for HTTP, unless
 * a frame says how long its content is: then it is decoded in place and needs
 * no window. For content.c.
 */

#include "http/content.h"

enum http_content_result http_unzstd(
		struct slice body, size_t limit_bytes, struct buf *decoded, struct buf *error);
