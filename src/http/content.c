#include "http/content.h"

#include "http/gunzip.h"
#include "http/unsnappy.h"
#include "http/unzstd.h"

static enum http_content_result copy(
		struct slice body, size_t limit_bytes, struct buf *decoded, struct buf *error)
{
	if (body.len > limit_bytes) {
		return HTTP_CONTENT_E_TOO_LARGE;
	}
	buf_append(decoded, body);
	return HTTP_CONTENT_OK;
}

static const struct {
	struct slice name; /* of the whole header, in any case */
	enum http_content_result (*decode)(
			struct slice body, size_t limit_bytes, struct buf *decoded, struct buf *error);
} codings[HTTP_CODING_COUNT] = {
	[HTTP_CODING_IDENTITY] = { SLICE_INIT("identity"), copy },
	[HTTP_CODING_GZIP] = { SLICE_INIT("gzip"), http_gunzip },
	[HTTP_CODING_SNAPPY] = { SLICE_INIT("snappy"), http_unsnappy },
	[HTTP_CODING_ZSTD] = { SLICE_INIT("zstd"), http_unzstd },
};

enum http_coding http_coding_by_name(struct slice content_encoding)
{
	for (enum http_coding coding = 0; coding < HTTP_CODING_COUNT; coding++) {
		if (slice_equal_nocase(content_encoding, codings[coding].name)) {
			return coding;
		}
	}
	return HTTP_CODING_IDENTITY;
}

struct slice http_coding_name(enum http_coding coding)
{
	return codings[coding].name;
}

enum http_content_result http_content_decode(enum http_coding coding, struct slice body,
		size_t limit_bytes, struct buf *decoded, struct buf *error)
{
	enum http_content_result result = codings[coding].decode(body, limit_bytes, decoded, error);
	if (result == HTTP_CONTENT_E_TOO_LARGE) {
		buf_printf(error,
				"the request's body, decoded, is larger than the limit of %zu "
				"(--limit.body-bytes)\n",
				limit_bytes);
	}
	return result;
}

bool http_content_begins(enum http_coding coding, struct slice body, struct slice *reterr_text)
{
	enum { GZIP_HEADER_BYTES = 10 }; /* RFC 1952, section 2.3 */
	if (coding != HTTP_CODING_GZIP) {
		return true;
	}
	if (body.len < GZIP_HEADER_BYTES) {
		*reterr_text = body.len == 0 ? SLICE("EOF\n") : SLICE("unexpected EOF\n");
		return false;
	}
	*reterr_text = SLICE("gzip: invalid header\n");
	return slice_starts_with(body, SLICE("\x1f\x8b\x08"));
}
