/*
 * gzip in both directions, and who wants it.
 */

#include <stdlib.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/memory.h"
#include "check.h"
#include "guard.h"
#include "http/content.h"
#include "http/gzip_body.h"
#include "http/negotiate.h"

static struct guard guard;

static void test_negotiation(void)
{
	static const struct {
		const char *header;
		bool gzip;
	} tests[] = {
		{ "", false },
		{ "gzip", true },
		{ "GZip", true },
		{ "deflate, gzip, br", true },
		{ "deflate , gzip ; q=0.5 , br", true },
		{ "gzip;q=0", false },
		{ "gzip;q=0.000", false },
		{ "gzip;Q=0.001", true },
		{ "gzip;q=1", true },
		{ "gzip;q = 0.3", true },
		{ "gzip;level=3;q=0", false },
		{ "gzip;q=x", false },
		{ "gzip;q=", false },
		{ "gzip;q=0.5x", false },
		{ "gzip;q=05", false },
		{ "gzip;q=0.12345678901234567890", true },
		{ "*", false },
		{ "*;q=1", false },
		{ "identity", false },
		{ "identity, gzip", true },
		{ "identity;q=1, gzip;q=0.5", false },
		{ "identity;q=0.5, gzip;q=0.5", true },
		{ "identity;q=0, gzip;q=0.1", true },
		{ "identity;q=0", false },
		{ "xgzip, gzipx, x-gzip", false },
		{ ",;,gzip;,;", true },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct slice header = guard_copy(&guard, slice_of_string(tests[i].header));
		if (http_prefers_gzip(header) != tests[i].gzip) {
			check_fail(__FILE__, __LINE__, tests[i].header);
		}
	}
}

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

static void check_decode(struct slice coded, size_t limit, enum http_content_result result,
		struct slice decoded, const char *error)
{
	struct buf out;
	struct buf text;
	buf_init(&out, 0);
	buf_init(&text, 0);
	CHECK_INT(http_content_decode(HTTP_CODING_GZIP, guard_copy(&guard, coded), limit, &out, &text),
			result);
	if (result == HTTP_CONTENT_OK) {
		CHECK_SLICE(buf_slice(&out), decoded);
	}
	CHECK(out.len <= limit + 1);
	CHECK_STRING(buf_slice(&text), error);
	buf_finish(&out);
	buf_finish(&text);
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

/* A body of so many bytes in pieces of a size, now and then not ready. */
struct source {
	struct http_body body;
	struct slice bytes;
	size_t piece_bytes;
	size_t at;
	size_t failed_at; /* 0: never */
	int later_every;  /* pieces; 0: never */
	int calls;
	bool waits;
	bool closed;
	struct slice parts[3];
};

static enum http_body_state source_next(struct http_body *body, struct http_piece *ret_piece)
{
	struct source *source = LIST_ENTRY(body, struct source, body);
	CHECK(!source->waits);
	if (source->later_every != 0 && ++source->calls % source->later_every == 0) {
		source->waits = true;
		return HTTP_BODY_LATER;
	}
	if (source->failed_at != 0 && source->at >= source->failed_at) {
		return HTTP_BODY_FAILED;
	}
	if (source->at == source->bytes.len) {
		return HTTP_BODY_END;
	}
	struct slice piece = slice_first(slice_skip(source->bytes, source->at), source->piece_bytes);
	source->parts[0] = slice_first(piece, piece.len / 3);
	source->parts[1] = slice_make(NULL, 0);
	source->parts[2] = slice_skip(piece, piece.len / 3);
	source->at += piece.len;
	*ret_piece = (struct http_piece){ .parts = source->parts, .count = 3 };
	return HTTP_BODY_PIECE;
}

static void source_close(struct http_body *body)
{
	struct source *source = LIST_ENTRY(body, struct source, body);
	CHECK(!source->closed);
	source->closed = true;
}

/* Does jobs at once, or when told, then the last one first. */
struct test_executor {
	struct executor executor;
	bool at_once;
	struct job *jobs[16];
	size_t count;
};

static void submit(struct executor *executor, struct job *job)
{
	struct test_executor *self = LIST_ENTRY(executor, struct test_executor, executor);
	if (self->at_once) {
		job->work(job);
		job->done(job);
		return;
	}
	self->jobs[self->count++] = job;
}

static void run_last_job(struct test_executor *self)
{
	struct job *job = self->jobs[--self->count];
	job->work(job);
	job->done(job);
}

static int ready_calls;

static void on_ready(void *data)
{
	ready_calls++;
}

/* Whatever is needed for the body to go on; true when it said so. */
static void wait_for_body(struct test_executor *executor, struct source *source)
{
	int before = ready_calls;
	while (ready_calls == before) {
		if (executor->count != 0) {
			run_last_job(executor);
		} else {
			CHECK(source->waits);
			source->waits = false;
			source->body.ready(source->body.ready_data);
		}
	}
}

static void drain_body(struct http_body *body, struct test_executor *executor,
		struct source *source, struct buf *coded)
{
	for (;;) {
		struct http_piece piece;
		switch (body->next(body, &piece)) {
		case HTTP_BODY_PIECE:
			for (size_t i = 0; i < piece.count; i++) {
				buf_append(coded, piece.parts[i]);
			}
			break;
		case HTTP_BODY_LATER:
			wait_for_body(executor, source);
			break;
		case HTTP_BODY_END:
			return;
		case HTTP_BODY_FAILED:
			CHECK(source->failed_at != 0);
			return;
		}
	}
}

/* As curl and browsers read it: one member, and nothing behind it. */
static void check_one_member(struct slice coded, struct slice raw)
{
	unsigned char *out = memory_alloc(raw.len + 1);
	z_stream stream = {
		.next_in = (Bytef *)(uintptr_t)coded.ptr,
		.avail_in = (uInt)coded.len,
		.next_out = out,
		.avail_out = (uInt)raw.len + 1,
	};
	inflateInit2(&stream, MAX_WBITS + 16);
	CHECK_INT(inflate(&stream, Z_FINISH), Z_STREAM_END);
	CHECK_INT(stream.avail_in, 0);
	CHECK_INT(stream.total_out, raw.len);
	CHECK(stream.total_out != raw.len || raw.len == 0 || memcmp(out, raw.ptr, raw.len) == 0);
	inflateEnd(&stream);
	free(out);
}

static void round_trip(struct slice raw, size_t piece_bytes, bool at_once, int later_every)
{
	struct test_executor executor = { .executor = { .submit = submit }, .at_once = at_once };
	struct source source = {
		.body = { .next = source_next, .close = source_close },
		.bytes = raw,
		.piece_bytes = piece_bytes,
		.later_every = later_every,
	};
	struct gzip_pool pool;
	struct buf coded;
	gzip_pool_init(&pool, &executor.executor);
	buf_init(&coded, 0);
	struct http_body *body = gzip_body_create(&pool, &source.body);
	body->ready = on_ready;
	drain_body(body, &executor, &source, &coded);
	body->close(body);
	CHECK(source.closed);
	check_one_member(buf_slice(&coded), raw);
	gzip_pool_finish(&pool);
	buf_finish(&coded);
}

static char *make_text(size_t bytes, bool random)
{
	char *text = memory_alloc(bytes + 1);
	uint32_t seed = 1;
	for (size_t i = 0; i < bytes; i++) {
		seed = seed * 1664525 + 1013904223;
		text[i] = random ? (char)(seed >> 24) : (char)('a' + (i % 100 < 90 ? i % 10 : seed >> 28));
	}
	return text;
}

static void test_gzip_body(void)
{
	static const size_t sizes[] = { 0, 1, 1000, 262144, 262145, 1000000, 3000000 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int random = 0; random <= 1; random++) {
			char *text = make_text(sizes[i], random != 0);
			struct slice raw = slice_make(text, sizes[i]);
			round_trip(raw, 262144, true, 0);
			round_trip(raw, 300000, false, 0);
			round_trip(raw, 1000000, true, 2);
			round_trip(raw, 5000, false, 3);
			free(text);
		}
	}
}

static void test_gzip_body_fails(void)
{
	char *text = make_text(2000000, false);
	struct test_executor executor = { .executor = { .submit = submit } };
	struct source source = {
		.body = { .next = source_next, .close = source_close },
		.bytes = slice_make(text, 2000000),
		.piece_bytes = 100000,
		.failed_at = 600000,
	};
	struct gzip_pool pool;
	struct buf coded;
	gzip_pool_init(&pool, &executor.executor);
	buf_init(&coded, 0);
	struct http_body *body = gzip_body_create(&pool, &source.body);
	body->ready = on_ready;
	drain_body(body, &executor, &source, &coded);
	body->close(body);
	while (executor.count != 0) {
		run_last_job(&executor);
	}
	gzip_pool_finish(&pool);
	buf_finish(&coded);
	free(text);
}

/* The client goes away while segments are on threads. */
static void test_gzip_body_closed_early(void)
{
	char *text = make_text(2000000, false);
	for (int pieces = 0; pieces < 4; pieces++) {
		struct test_executor executor = { .executor = { .submit = submit } };
		struct source source = {
			.body = { .next = source_next, .close = source_close },
			.bytes = slice_make(text, 2000000),
			.piece_bytes = 100000,
		};
		struct gzip_pool pool;
		struct http_piece piece;
		gzip_pool_init(&pool, &executor.executor);
		struct http_body *body = gzip_body_create(&pool, &source.body);
		body->ready = on_ready;
		CHECK_INT(body->next(body, &piece), HTTP_BODY_LATER);
		CHECK_INT(executor.count, GZIP_SEGMENTS_MAX);
		if (pieces != 0) {
			wait_for_body(&executor, &source);
		}
		for (int i = 0; i < pieces; i++) {
			while (body->next(body, &piece) == HTTP_BODY_LATER) {
				wait_for_body(&executor, &source);
			}
		}
		ready_calls = 0;
		body->close(body);
		CHECK(source.closed);
		while (executor.count != 0) {
			run_last_job(&executor);
		}
		CHECK_INT(ready_calls, 0);
		gzip_pool_finish(&pool);
	}
	free(text);
}

int main(void)
{
	guard_init(&guard, 1 << 20);
	RUN(test_negotiation);
	RUN(test_coding_names);
	RUN(test_gunzip_errors);
	RUN(test_gunzip);
	RUN(test_gzip_bomb);
	RUN(test_gzip_body);
	RUN(test_gzip_body_fails);
	RUN(test_gzip_body_closed_early);
	guard_finish(&guard);
	return check_done();
}
