/*
 * The codings of request bodies.
 */

#include <snappy-c.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "check.h"
#include "guard.h"
#include "http/content.h"

static struct guard guard;

/* One gzip member made by zlib. */
static void append_member(struct buf *coded, struct slice raw, int level)
{
	z_stream stream = { 0 };
	deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
	size_t bound = deflateBound(&stream, raw.len);
	buf_reserve(coded, bound);
	stream.next_in = (Bytef *)(uintptr_t)raw.ptr;
	stream.avail_in = (uInt)raw.len;
	stream.next_out = (Bytef *)(coded->ptr + coded->len);
	stream.avail_out = (uInt)bound;
	CHECK_INT(deflate(&stream, Z_FINISH), Z_STREAM_END);
	coded->len += bound - stream.avail_out;
	deflateEnd(&stream);
}

static void check_decode_as(enum http_coding coding, struct slice coded, size_t limit,
		enum http_content_result result, struct slice decoded, const char *error)
{
	struct buf out;
	struct buf text;
	buf_init(&out, 0);
	buf_init(&text, 0);
	CHECK_INT(http_content_decode(coding, guard_copy(&guard, coded), limit, &out, &text), result);
	if (result == HTTP_CONTENT_OK) {
		CHECK_SLICE(buf_slice(&out), decoded);
	}
	CHECK(out.len <= limit + 1);
	CHECK_STRING(buf_slice(&text), error);
	buf_finish(&out);
	buf_finish(&text);
}

static void check_decode(struct slice coded, size_t limit, enum http_content_result result,
		struct slice decoded, const char *error)
{
	check_decode_as(HTTP_CODING_GZIP, coded, limit, result, decoded, error);
}

static void check_corrupt(struct slice coded, const char *error)
{
	check_decode(coded, 1 << 20, HTTP_CONTENT_E_CORRUPT, SLICE(""), error);
}

static void test_coding_names(void)
{
	CHECK_INT(http_coding_by_name(SLICE("gzip")), HTTP_CODING_GZIP);
	CHECK_INT(http_coding_by_name(SLICE("GZIP")), HTTP_CODING_GZIP);
	CHECK_INT(http_coding_by_name(SLICE("gzip, gzip")), HTTP_CODING_IDENTITY);
	CHECK_INT(http_coding_by_name(SLICE("br")), HTTP_CODING_IDENTITY);
	CHECK_INT(http_coding_by_name(SLICE("Snappy")), HTTP_CODING_SNAPPY);
	CHECK_INT(http_coding_by_name(SLICE("Zstd")), HTTP_CODING_ZSTD);
	CHECK_INT(http_coding_by_name(SLICE("zstd, gzip")), HTTP_CODING_IDENTITY);
	CHECK_INT(http_coding_by_name(SLICE("")), HTTP_CODING_IDENTITY);
	for (enum http_coding coding = 0; coding < HTTP_CODING_COUNT; coding++) {
		CHECK_INT(http_coding_by_name(http_coding_name(coding)), coding);
	}
	CHECK_INT(http_coding_by_name(slice_make(NULL, 0)), HTTP_CODING_IDENTITY);
}

static void test_gunzip_errors(void)
{
	check_corrupt(SLICE(""), "EOF\n");
	check_corrupt(SLICE("a 1\n"), "unexpected EOF\n");
	check_corrupt(SLICE("some_metric 1\n"), "gzip: invalid header\n");
	check_corrupt(SLICE("\x1f\x8b\x08\0\0\0\0\0\0"), "unexpected EOF\n");
	check_corrupt(SLICE("\x1f\x8b\x08\x04\0\0\0\0\0\3\5\0ab"), "unexpected EOF\n");
	check_corrupt(SLICE("\x1f\x8b\x08\x08\0\0\0\0\0\3name"), "unexpected EOF\n");
	check_corrupt(SLICE("\x1f\x8b\x08\x02\0\0\0\0\0\3\1\2"), "gzip: invalid header\n");
	check_corrupt(
			SLICE("\x1f\x8b\x08\0\0\0\0\0\0\3\xff\xff"), "flate: corrupt input before offset 1\n");

	struct buf coded;
	buf_init(&coded, 0);
	append_member(&coded, SLICE("a 1\nb 2\n"), 6);
	for (size_t len = 10; len < coded.len; len++) {
		check_corrupt(slice_first(buf_slice(&coded), len), "unexpected EOF\n");
	}
	coded.ptr[coded.len - 1] ^= 1;
	check_corrupt(buf_slice(&coded), "gzip: invalid checksum\n");
	coded.ptr[coded.len - 1] ^= 1;
	coded.ptr[coded.len - 8] ^= 1;
	check_corrupt(buf_slice(&coded), "gzip: invalid checksum\n");
	coded.ptr[coded.len - 8] ^= 1;
	buf_append(&coded, SLICE("more than ten bytes"));
	check_corrupt(buf_slice(&coded), "gzip: invalid header\n");
	buf_finish(&coded);
}

static void test_gunzip(void)
{
	struct buf coded;
	buf_init(&coded, 0);
	append_member(&coded, SLICE("a 1\n"), 0);
	append_member(&coded, SLICE(""), 6);
	append_member(&coded, SLICE("b 2\n"), 9);
	check_decode(buf_slice(&coded), 8, HTTP_CONTENT_OK, SLICE("a 1\nb 2\n"), "");
	check_decode(buf_slice(&coded), 7, HTTP_CONTENT_E_TOO_LARGE, SLICE(""),
			"the request's body, decoded, is larger than the limit of 7 (--limit.body-bytes)\n");

	/* Every optional field of a header. */
	buf_reset(&coded, 0);
	buf_append(&coded, SLICE("\x1f\x8b\x08\x1e\0\0\0\0\0\3\2\0xyname\0comment\0"));
	uint32_t crc = (uint32_t)crc32(0, (const Bytef *)coded.ptr, (uInt)coded.len);
	buf_append_byte(&coded, (char)crc);
	buf_append_byte(&coded, (char)(crc >> 8));
	buf_append(&coded, SLICE("\3\0\0\0\0\0\0\0\0\0"));
	check_decode(buf_slice(&coded), 0, HTTP_CONTENT_OK, SLICE(""), "");
	buf_finish(&coded);
}

static void test_gzip_bomb(void)
{
	size_t bytes = 64 << 20;
	char *zeros = memory_zalloc(bytes, 1);
	struct buf coded;
	buf_init(&coded, 0);
	append_member(&coded, slice_make(zeros, bytes), 1);
	check_decode(buf_slice(&coded), 100000, HTTP_CONTENT_E_TOO_LARGE, SLICE(""),
			"the request's body, decoded, is larger than the limit of 100000 "
			"(--limit.body-bytes)\n");
	buf_finish(&coded);
	free(zeros);
}

/* ---- Snappy ---- */

enum { COMPRESSED = 0x00, UNCOMPRESSED = 0x01, PADDING = 0xfe, STREAM = 0xff };

/* CRC-32C, bit by bit, then masked as the format has it. */
static uint32_t snappy_checksum(struct slice bytes)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= (unsigned char)bytes.ptr[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
		}
	}
	crc = ~crc;
	return (crc >> 15 | crc << 17) + 0xa282ead8;
}

static void append_le(struct buf *coded, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++) {
		buf_append_byte(coded, (char)(value >> 8 * i));
	}
}

static void append_chunk(struct buf *coded, unsigned type, struct slice content)
{
	buf_append_byte(coded, (char)type);
	append_le(coded, (uint32_t)content.len, 3);
	buf_append(coded, content);
}

/* A chunk of data; the checksum is wrong by as much as is said. */
static void append_data(struct buf *coded, unsigned type, struct slice raw, uint32_t wrong)
{
	size_t bytes = snappy_max_compressed_length(raw.len);
	char *data = memory_alloc(bytes);
	if (type == UNCOMPRESSED) {
		bytes = raw.len;
		memcpy(data, raw.ptr, bytes);
	} else {
		snappy_compress(raw.ptr, raw.len, data, &bytes);
	}
	buf_append_byte(coded, (char)type);
	append_le(coded, (uint32_t)bytes + 4, 3);
	append_le(coded, snappy_checksum(raw) + wrong, 4);
	buf_append(coded, slice_make(data, bytes));
	free(data);
}

static void begin_snappy(struct buf *coded)
{
	buf_reset(coded, SIZE_MAX);
	append_chunk(coded, STREAM, SLICE("sNaPpY"));
}

static void check_snappy(const struct buf *coded, struct slice decoded)
{
	check_decode_as(
			HTTP_CODING_SNAPPY, buf_slice(coded), decoded.len, HTTP_CONTENT_OK, decoded, "");
}

static void check_snappy_corrupt(struct slice coded, const char *error)
{
	check_decode_as(HTTP_CODING_SNAPPY, coded, 1 << 20, HTTP_CONTENT_E_CORRUPT, SLICE(""), error);
}

static void test_unsnappy(void)
{
	struct buf coded;
	buf_init(&coded, 0);
	check_snappy(&coded, SLICE(""));
	begin_snappy(&coded);
	check_snappy(&coded, SLICE(""));
	append_data(&coded, UNCOMPRESSED, SLICE(""), 0);
	append_data(&coded, COMPRESSED, SLICE(""), 0);
	check_snappy(&coded, SLICE(""));
	append_data(&coded, COMPRESSED, SLICE("a 1\n"), 0);
	append_chunk(&coded, PADDING, SLICE("\0\0\0"));
	append_chunk(&coded, 0x80, SLICE("skipped"));
	append_chunk(&coded, STREAM, SLICE("sNaPpY"));
	append_data(&coded, UNCOMPRESSED, SLICE("b 2\n"), 0);
	check_snappy(&coded, SLICE("a 1\nb 2\n"));
	for (size_t limit = 0; limit < 8; limit++) {
		char error[200];
		snprintf(error, sizeof(error),
				"the request's body, decoded, is larger than the limit of %zu "
				"(--limit.body-bytes)\n",
				limit);
		check_decode_as(HTTP_CODING_SNAPPY, buf_slice(&coded), limit, HTTP_CONTENT_E_TOO_LARGE,
				SLICE(""), error);
	}
	buf_finish(&coded);
}

static void test_unsnappy_errors(void)
{
	static const char corrupt[] = "snappy: corrupt input\n";
	struct buf coded;
	buf_init(&coded, 0);
	check_snappy_corrupt(SLICE("a 1\n"), corrupt);
	check_snappy_corrupt(SLICE("some_metric 1\n"), corrupt);
	append_data(&coded, COMPRESSED, SLICE("a 1\n"), 0);
	check_snappy_corrupt(buf_slice(&coded), corrupt);
	begin_snappy(&coded);
	append_data(&coded, COMPRESSED, SLICE("a 1\n"), 1);
	check_snappy_corrupt(buf_slice(&coded), corrupt);
	begin_snappy(&coded);
	append_data(&coded, UNCOMPRESSED, SLICE("a 1\n"), 1);
	check_snappy_corrupt(buf_slice(&coded), corrupt);
	begin_snappy(&coded);
	append_chunk(&coded, COMPRESSED, SLICE("abc"));
	check_snappy_corrupt(buf_slice(&coded), corrupt);
	begin_snappy(&coded);
	append_chunk(&coded, STREAM, SLICE("snappy"));
	check_snappy_corrupt(buf_slice(&coded), corrupt);
	for (unsigned type = 0x02; type < 0x80; type++) {
		begin_snappy(&coded);
		append_chunk(&coded, type, SLICE("abcdefgh"));
		check_snappy_corrupt(buf_slice(&coded), "snappy: unsupported input\n");
	}
	/* A chunk's length, and the length within one, that say more than there is. */
	begin_snappy(&coded);
	append_chunk(&coded, COMPRESSED, SLICE("crc_\xff\xff\xff\xff\x0f"));
	check_snappy_corrupt(buf_slice(&coded), corrupt);
	begin_snappy(&coded);
	append_data(&coded, COMPRESSED, SLICE("a 1\na 1\na 1\na 1\n"), 0);
	for (size_t len = 1; len < coded.len; len++) {
		if (len != 10) {
			check_snappy_corrupt(slice_first(buf_slice(&coded), len), corrupt);
		}
	}
	buf_finish(&coded);
}

/* 64 KiB of zeros a chunk, not one byte more. */
static void test_snappy_bomb(void)
{
	char *zeros = memory_zalloc(65537, 1);
	struct buf coded;
	buf_init(&coded, 0);
	begin_snappy(&coded);
	append_data(&coded, COMPRESSED, slice_make(zeros, 65536), 0);
	check_snappy(&coded, slice_make(zeros, 65536));
	begin_snappy(&coded);
	append_data(&coded, COMPRESSED, slice_make(zeros, 65537), 0);
	check_snappy_corrupt(buf_slice(&coded), "snappy: corrupt input\n");
	begin_snappy(&coded);
	append_data(&coded, UNCOMPRESSED, slice_make(zeros, 65537), 0);
	check_snappy_corrupt(buf_slice(&coded), "snappy: corrupt input\n");
	begin_snappy(&coded);
	for (int i = 0; i < 1000; i++) {
		append_data(&coded, COMPRESSED, slice_make(zeros, 65536), 0);
	}
	check_decode_as(HTTP_CODING_SNAPPY, slice_first(buf_slice(&coded), 900000), 100000,
			HTTP_CONTENT_E_TOO_LARGE, SLICE(""),
			"the request's body, decoded, is larger than the limit of 100000 "
			"(--limit.body-bytes)\n");
	buf_finish(&coded);
	free(zeros);
}

/* ---- zstd ---- */

enum frame { SIZED, UNSIZED };

/* Made by the library, with a checksum. */
static void append_frame(struct buf *coded, struct slice raw, enum frame frame, int window_log)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
	if (frame == SIZED) {
		ZSTD_CCtx_setPledgedSrcSize(context, raw.len);
	}
	size_t bound = ZSTD_compressBound(raw.len) + 64;
	buf_reserve(coded, bound);
	ZSTD_outBuffer out = { .dst = coded->ptr + coded->len, .size = bound };
	ZSTD_inBuffer in = { .src = raw.ptr, .size = raw.len };
	/* Flushed before it is ended, or the library would find out the size. */
	CHECK_INT(ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush), 0);
	CHECK_INT(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
	coded->len += out.pos;
	ZSTD_freeCCtx(context);
}

static void check_zstd(struct slice coded, struct slice decoded)
{
	check_decode_as(HTTP_CODING_ZSTD, coded, decoded.len, HTTP_CONTENT_OK, decoded, "");
}

static void check_zstd_corrupt(struct slice coded, const char *error)
{
	check_decode_as(HTTP_CODING_ZSTD, coded, 1 << 20, HTTP_CONTENT_E_CORRUPT, SLICE(""), error);
}

static void check_zstd_too_large(struct slice coded, size_t limit)
{
	char error[200];
	snprintf(error, sizeof(error),
			"the request's body, decoded, is larger than the limit of %zu (--limit.body-bytes)\n",
			limit);
	check_decode_as(HTTP_CODING_ZSTD, coded, limit, HTTP_CONTENT_E_TOO_LARGE, SLICE(""), error);
}

#define SKIPPABLE "\x50\x2a\x4d\x18\3\0\0\0abc"

static void test_unzstd(void)
{
	struct buf coded;
	buf_init(&coded, 0);
	check_zstd(SLICE(""), SLICE(""));
	check_zstd(SLICE(SKIPPABLE), SLICE(""));
	for (int i = 0; i < 16; i++) {
		char skippable[] = SKIPPABLE;
		skippable[0] = (char)(0x50 + i);
		check_zstd(slice_make(skippable, sizeof(skippable) - 1), SLICE(""));
	}
	append_frame(&coded, SLICE(""), UNSIZED, 0);
	check_zstd(buf_slice(&coded), SLICE(""));
	append_frame(&coded, SLICE("a 1\n"), SIZED, 0);
	check_zstd(buf_slice(&coded), SLICE("a 1\n"));
	buf_append(&coded, SLICE(SKIPPABLE));
	append_frame(&coded, SLICE("b 2\n"), UNSIZED, 0);
	buf_append(&coded, SLICE(SKIPPABLE));
	check_zstd(buf_slice(&coded), SLICE("a 1\nb 2\n"));
	check_zstd_too_large(buf_slice(&coded), 7);
	check_zstd_too_large(buf_slice(&coded), 4);
	check_zstd_too_large(buf_slice(&coded), 3);
	check_zstd_too_large(buf_slice(&coded), 0);
	buf_finish(&coded);
}

/* Around the steps in which the decoded body grows. */
static void test_unzstd_sizes(void)
{
	static const size_t sizes[] = { 1, 32767, 32768, 32769, 65536, 131072, 131073, 500000 };
	char *text = memory_alloc(500000);
	for (size_t i = 0; i < 500000; i++) {
		text[i] = (char)('a' + i % 23 * (i % 7) % 26);
	}
	struct buf coded;
	buf_init(&coded, 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int frame = SIZED; frame <= UNSIZED; frame++) {
			struct slice raw = slice_make(text, sizes[i]);
			buf_reset(&coded, 0);
			append_frame(&coded, raw, (enum frame)frame, 0);
			check_zstd(buf_slice(&coded), raw);
			check_zstd_too_large(buf_slice(&coded), raw.len - 1);
		}
	}
	buf_finish(&coded);
	free(text);
}

static void test_unzstd_errors(void)
{
	check_zstd_corrupt(SLICE("a"), "zstd: unexpected EOF\n");
	check_zstd_corrupt(SLICE("a 1\n"), "zstd: invalid header\n");
	check_zstd_corrupt(SLICE("\x1f\x8b\x08\0\0\0\0\0\0\3"), "zstd: invalid header\n");
	/* What older versions of zstd wrote. */
	check_zstd_corrupt(SLICE("\x27\xb5\x2f\xfd\0\0\0\0\0\0\0\0"), "zstd: invalid header\n");
	check_zstd_corrupt(SLICE("\x28\xb5\x2f\xfd"), "zstd: unexpected EOF\n");
	/* A block of the type that is reserved. */
	check_zstd_corrupt(SLICE("\x28\xb5\x2f\xfd\x20\1\7\0\0\0"), "zstd: corrupt input\n");
	/* A bit that is reserved. */
	check_zstd_corrupt(SLICE("\x28\xb5\x2f\xfd\x28\1\1\0\0"), "zstd: corrupt input\n");
	check_zstd_corrupt(
			SLICE("\x28\xb5\x2f\xfd\x21\1\1\1\0\0"), "zstd: dictionaries are not supported\n");

	struct buf coded;
	buf_init(&coded, 0);
	for (int frame = SIZED; frame <= UNSIZED; frame++) {
		buf_reset(&coded, 0);
		append_frame(&coded, SLICE("a 1\nb 2\nb 2\nb 2\nb 2\nb 2\nb 2\n"), (enum frame)frame, 0);
		for (size_t len = 1; len < coded.len; len++) {
			check_zstd_corrupt(slice_first(buf_slice(&coded), len), "zstd: unexpected EOF\n");
		}
		coded.ptr[coded.len - 1] ^= 1;
		check_zstd_corrupt(buf_slice(&coded), "zstd: invalid checksum\n");
		coded.ptr[coded.len - 1] ^= 1;
		buf_append(&coded, SLICE("more"));
		check_zstd_corrupt(buf_slice(&coded), "zstd: invalid header\n");
		coded.len -= 3;
		check_zstd_corrupt(buf_slice(&coded), "zstd: unexpected EOF\n");
	}
	for (size_t len = 1; len < sizeof(SKIPPABLE) - 1; len++) {
		check_zstd_corrupt(slice_first(SLICE(SKIPPABLE), len), "zstd: unexpected EOF\n");
	}
	buf_finish(&coded);
}

/* A window of 8 MiB is what HTTP allows. */
static void test_unzstd_window(void)
{
	size_t bytes = 500000;
	char *zeros = memory_zalloc(bytes, 1);
	struct slice raw = slice_make(zeros, bytes);
	struct buf coded;
	buf_init(&coded, 0);
	append_frame(&coded, raw, UNSIZED, 23);
	check_zstd(buf_slice(&coded), raw);
	buf_reset(&coded, 0);
	append_frame(&coded, raw, UNSIZED, 24);
	check_zstd_corrupt(buf_slice(&coded), "zstd: the window is larger than 8 MiB\n");
	buf_finish(&coded);
	free(zeros);
}

static void test_zstd_bomb(void)
{
	size_t bytes = 64 << 20;
	char *zeros = memory_zalloc(bytes, 1);
	struct buf coded;
	buf_init(&coded, 0);
	for (int frame = SIZED; frame <= UNSIZED; frame++) {
		buf_reset(&coded, 0);
		append_frame(&coded, slice_make(zeros, bytes), (enum frame)frame, 0);
		check_zstd_too_large(buf_slice(&coded), 100000);
	}
	buf_finish(&coded);
	free(zeros);
	/* Claims 2^64 - 1 bytes, and 2^20, and has none. */
	check_zstd_too_large(
			SLICE("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\xfe\1\0\0"), 1 << 20);
	check_zstd_corrupt(SLICE("\x28\xb5\x2f\xfd\xa0\0\0\x10\0\1\0\0"), "zstd: corrupt input\n");
}

/* ---- Garbage ---- */

static void decode_garbage(enum http_coding coding, struct slice bytes)
{
	enum { LIMIT = 100000 };
	struct buf out;
	struct buf text;
	buf_init(&out, 0);
	buf_init(&text, 0);
	enum http_content_result result =
			http_content_decode(coding, guard_copy(&guard, bytes), LIMIT, &out, &text);
	CHECK(out.len <= LIMIT + 1);
	CHECK_INT(text.len != 0, result != HTTP_CONTENT_OK);
	CHECK(text.len == 0 || text.ptr[text.len - 1] == '\n');
	CHECK(result != HTTP_CONTENT_OK || out.len <= LIMIT);
	buf_finish(&out);
	buf_finish(&text);
}

/* Good bodies with bytes that are not. */
static void test_garbage(void)
{
	char raw[3000];
	for (size_t i = 0; i < sizeof(raw); i++) {
		raw[i] = (char)('a' + i * i % 29 % 11);
	}
	struct buf bodies[HTTP_CODING_COUNT];
	for (enum http_coding coding = 0; coding < HTTP_CODING_COUNT; coding++) {
		buf_init(&bodies[coding], 0);
	}
	buf_append(&bodies[HTTP_CODING_IDENTITY], slice_make(raw, 100));
	begin_snappy(&bodies[HTTP_CODING_SNAPPY]);
	append_data(&bodies[HTTP_CODING_SNAPPY], COMPRESSED, slice_make(raw, sizeof(raw)), 0);
	append_data(&bodies[HTTP_CODING_SNAPPY], UNCOMPRESSED, slice_make(raw, 100), 0);
	append_member(&bodies[HTTP_CODING_GZIP], slice_make(raw, sizeof(raw)), 6);
	append_member(&bodies[HTTP_CODING_GZIP], slice_make(raw, 100), 6);
	append_frame(&bodies[HTTP_CODING_ZSTD], slice_make(raw, sizeof(raw)), UNSIZED, 0);
	append_frame(&bodies[HTTP_CODING_ZSTD], slice_make(raw, 100), SIZED, 0);
	srand(1);
	for (int i = 0; i < 40000; i++) {
		enum http_coding coding = (enum http_coding)(i % HTTP_CODING_COUNT);
		char bytes[4096];
		size_t len = bodies[coding].len;
		memcpy(bytes, bodies[coding].ptr, len);
		for (int changes = rand() % 4; changes >= 0; changes--) {
			/* The headers, which decide most, more often. */
			size_t at = (size_t)rand() % (rand() % 2 == 0 ? len : 16);
			bytes[at] = rand() % 2 == 0 ? (char)rand() : (char)(bytes[at] ^ 1 << rand() % 8);
		}
		len = rand() % 4 == 0 ? (size_t)rand() % (len + 1) : len;
		decode_garbage(coding, slice_make(bytes, len));
	}
	for (enum http_coding coding = 0; coding < HTTP_CODING_COUNT; coding++) {
		buf_finish(&bodies[coding]);
	}
}

int main(void)
{
	guard_init(&guard, 1 << 20);
	RUN(test_coding_names);
	RUN(test_gunzip_errors);
	RUN(test_gunzip);
	RUN(test_gzip_bomb);
	RUN(test_unsnappy);
	RUN(test_unsnappy_errors);
	RUN(test_snappy_bomb);
	RUN(test_unzstd);
	RUN(test_unzstd_sizes);
	RUN(test_unzstd_errors);
	RUN(test_unzstd_window);
	RUN(test_zstd_bomb);
	RUN(test_garbage);
	guard_finish(&guard);
	return check_done();
}
