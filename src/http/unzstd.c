#include "http/unzstd.h"

#include <zstd.h>
#include <zstd_errors.h>

enum {
	MAGIC_BYTES = 4,
	WINDOW_LOG_MAX = 23, /* 8 MiB */
	/* Step by which a body of unknown length grows at least. */
	STEP_BYTES = 32 * 1024,
};

/* What is left to read, and where the decoded bytes go. */
struct unzstd {
	struct slice rest;
	size_t limit_bytes;
	struct buf *decoded;
	struct buf *error;
	ZSTD_DCtx *context;
};

static enum http_content_result fail(struct unzstd *unzstd, const char *text)
{
	buf_append_string(unzstd->error, text);
	return HTTP_CONTENT_E_CORRUPT;
}

static enum http_content_result fail_with(struct unzstd *unzstd, size_t status)
{
	ZSTD_ErrorCode code = ZSTD_getErrorCode(status);
	if (code == ZSTD_error_checksum_wrong) {
		return fail(unzstd, "zstd: invalid checksum\n");
	}
	if (code == ZSTD_error_frameParameter_windowTooLarge) {
		return fail(unzstd, "zstd: the window is larger than 8 MiB\n");
	}
	if (code == ZSTD_error_dictionary_wrong) {
		return fail(unzstd, "zstd: dictionaries are not supported\n");
	}
	return fail(unzstd, "zstd: corrupt input\n");
}

/* The library would also read what zstd was before it was finished. */
static bool is_frame(struct slice rest)
{
	bool is_skippable = ((unsigned char)rest.ptr[0] & 0xf0) == 0x50
			&& memcmp(rest.ptr + 1, "\x2a\x4d\x18", 3) == 0;
	return is_skippable || slice_starts_with(rest, SLICE("\x28\xb5\x2f\xfd"));
}

/* Room behind the decoded bytes: one byte more than allowed tells that there is more. */
static ZSTD_outBuffer make_room(struct unzstd *unzstd)
{
	struct buf *decoded = unzstd->decoded;
	size_t allowed = unzstd->limit_bytes - decoded->len;
	if (decoded->capacity - decoded->len < STEP_BYTES) {
		buf_reserve(decoded, (allowed < STEP_BYTES ? allowed : STEP_BYTES) + 1);
	}
	size_t room = decoded->capacity - decoded->len;
	return (ZSTD_outBuffer){
		.dst = decoded->ptr + decoded->len,
		.size = room <= allowed ? room : allowed + 1,
	};
}

static enum http_content_result begin_frame(struct unzstd *unzstd)
{
	if (unzstd->rest.len < MAGIC_BYTES) {
		return fail(unzstd, "zstd: unexpected EOF\n");
	}
	if (!is_frame(unzstd->rest)) {
		return fail(unzstd, "zstd: invalid header\n");
	}
	unsigned long long bytes = ZSTD_getFrameContentSize(unzstd->rest.ptr, unzstd->rest.len);
	if (bytes == ZSTD_CONTENTSIZE_UNKNOWN || bytes == ZSTD_CONTENTSIZE_ERROR) {
		return HTTP_CONTENT_OK; /* an error will come again, in words */
	}
	if (bytes > unzstd->limit_bytes - unzstd->decoded->len) {
		return HTTP_CONTENT_E_TOO_LARGE;
	}
	buf_reserve(unzstd->decoded, (size_t)bytes);
	return HTTP_CONTENT_OK;
}

static enum http_content_result decode_frame(struct unzstd *unzstd)
{
	enum http_content_result result = begin_frame(unzstd);
	size_t status = 1;
	while (result == HTTP_CONTENT_OK && status != 0) {
		ZSTD_inBuffer in = { .src = unzstd->rest.ptr, .size = unzstd->rest.len };
		ZSTD_outBuffer out = make_room(unzstd);
		status = ZSTD_decompressStream(unzstd->context, &out, &in);
		if (ZSTD_isError(status)) {
			return fail_with(unzstd, status);
		}
		unzstd->decoded->len += out.pos;
		unzstd->rest = slice_skip(unzstd->rest, in.pos);
		if (unzstd->decoded->len > unzstd->limit_bytes) {
			return HTTP_CONTENT_E_TOO_LARGE;
		}
		if (status != 0 && unzstd->rest.len == 0 && out.pos < out.size) {
			return fail(unzstd, "zstd: unexpected EOF\n");
		}
	}
	return result;
}

enum http_content_result http_unzstd(
		struct slice body, size_t limit_bytes, struct buf *decoded, struct buf *error)
{
	struct unzstd unzstd = {
		.rest = body,
		.limit_bytes = limit_bytes,
		.decoded = decoded,
		.error = error,
		.context = ZSTD_createDCtx(),
	};
	if (unzstd.context == NULL) {
		return fail(&unzstd, "zstd: no memory\n");
	}
	ZSTD_DCtx_setParameter(unzstd.context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	enum http_content_result result = HTTP_CONTENT_OK;
	while (result == HTTP_CONTENT_OK && unzstd.rest.len != 0) {
		result = decode_frame(&unzstd);
	}
	ZSTD_freeDCtx(unzstd.context);
	return result;
}
