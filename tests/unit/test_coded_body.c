/*
 * Bodies of responses under a coding, while they are produced.
 */

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "check.h"
#include "http/coded_body.h"
#include "http/coder.h"

static const enum http_coding codings[] = { HTTP_CODING_GZIP, HTTP_CODING_ZSTD };

#define EACH_CODING(coding) for (size_t coding = 0; coding < 2; coding++)

/* ---- Where the bytes come from ---- */

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
	CHECK(!source->waits && !source->closed);
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

/* ---- Threads ---- */

/* Does jobs at once, or when told, then the last one first. */
struct test_executor {
	struct executor executor;
	bool at_once;
	struct job *jobs[64];
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

static void run_all_jobs(struct test_executor *self)
{
	while (self->count != 0) {
		run_last_job(self);
	}
}

/* ---- Who reads ---- */

struct consumer {
	struct source source;
	struct http_body *body;
	struct buf coded;
	int ready_calls;
	bool waits;
	bool ended;
	bool failed;
};

static void on_ready(void *data)
{
	struct consumer *consumer = data;
	CHECK(consumer->waits);
	consumer->waits = false;
	consumer->ready_calls++;
}

static void open_consumer(struct consumer *consumer, struct coded_pool *pool,
		enum http_coding coding, const struct source *source)
{
	*consumer = (struct consumer){ .source = *source };
	consumer->source.body.next = source_next;
	consumer->source.body.close = source_close;
	buf_init(&consumer->coded, 0);
	consumer->body = coded_body_create(pool, coding, &consumer->source.body);
	consumer->body->ready = on_ready;
	consumer->body->ready_data = consumer;
}

static void close_consumer(struct consumer *consumer)
{
	consumer->waits = false;
	consumer->body->close(consumer->body);
	CHECK(consumer->source.closed);
	buf_finish(&consumer->coded);
}

/* One call of next(). */
static void read_piece(struct consumer *consumer)
{
	struct http_piece piece;
	switch (consumer->body->next(consumer->body, &piece)) {
	case HTTP_BODY_PIECE:
		for (size_t i = 0; i < piece.count; i++) {
			buf_append(&consumer->coded, piece.parts[i]);
		}
		break;
	case HTTP_BODY_LATER:
		consumer->waits = true;
		break;
	case HTTP_BODY_END:
		consumer->ended = true;
		break;
	case HTTP_BODY_FAILED:
		consumer->failed = true;
		break;
	}
}

static void let_source_go_on(struct source *source)
{
	CHECK(source->waits);
	source->waits = false;
	source->body.ready(source->body.ready_data);
}

static void read_all(struct consumer *consumer, struct test_executor *executor)
{
	while (!consumer->ended && !consumer->failed) {
		read_piece(consumer);
		while (consumer->waits) {
			if (executor->count != 0) {
				run_last_job(executor);
			} else {
				let_source_go_on(&consumer->source);
			}
		}
	}
}

/* ---- What was read ---- */

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

/* One frame, which says that it has a checksum, and nothing behind it. */
static void check_one_frame(struct slice coded, struct slice raw)
{
	enum { CHECKSUM_FLAG = 1 << 2 };
	CHECK(coded.len > 5 && (coded.ptr[4] & CHECKSUM_FLAG) != 0);
	CHECK_INT(ZSTD_findFrameCompressedSize(coded.ptr, coded.len), coded.len);

	char *out = memory_alloc(raw.len + 1);
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 23);
	ZSTD_outBuffer to = { .dst = out, .size = raw.len + 1 };
	/* A few bytes at a time, as they come over a network. */
	size_t status = 1;
	for (size_t at = 0; at < coded.len; at += 1000) {
		struct slice part = slice_first(slice_skip(coded, at), 1000);
		ZSTD_inBuffer from = { .src = part.ptr, .size = part.len };
		status = ZSTD_decompressStream(context, &to, &from);
		CHECK(!ZSTD_isError(status));
		CHECK_INT(from.pos, from.size);
	}
	CHECK_INT(status, 0);
	CHECK_INT(to.pos, raw.len);
	CHECK(to.pos != raw.len || raw.len == 0 || memcmp(out, raw.ptr, raw.len) == 0);
	ZSTD_freeDCtx(context);
	free(out);
}

static void check_coded(enum http_coding coding, struct slice coded, struct slice raw)
{
	if (coding == HTTP_CODING_GZIP) {
		check_one_member(coded, raw);
	} else {
		check_one_frame(coded, raw);
	}
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

/* ---- The tests ---- */

static void round_trip(enum http_coding coding, const struct source *source, bool at_once)
{
	struct test_executor executor = { .executor = { .submit = submit }, .at_once = at_once };
	struct coded_pool pool;
	coded_pool_init(&pool, &executor.executor);
	/* Twice, the second time with what the first left in the pool. */
	for (int i = 0; i < 2; i++) {
		struct consumer consumer;
		open_consumer(&consumer, &pool, coding, source);
		read_all(&consumer, &executor);
		CHECK(consumer.ended);
		check_coded(coding, buf_slice(&consumer.coded), source->bytes);
		close_consumer(&consumer);
		CHECK_INT(pool.segments.used_count, 0);
	}
	coded_pool_finish(&pool);
}

static void test_round_trips(void)
{
	static const size_t sizes[] = { 0, 1, 1000, 262143, 262144, 262145, 524288, 1000000, 3000000 };
	static const struct {
		size_t piece_bytes;
		bool at_once;
		int later_every;
	} ways[] = {
		{ 262144, true, 0 },
		{ 300000, false, 0 },
		{ 1000000, true, 2 },
		{ 5000, false, 3 },
		{ 131072, false, 0 },
	};
	EACH_CODING(coding)
	{
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			for (size_t way = 0; way < 2 * sizeof(ways) / sizeof(ways[0]); way++) {
				char *text = make_text(sizes[i], way % 2 != 0);
				struct source source = {
					.bytes = slice_make(text, sizes[i]),
					.piece_bytes = ways[way / 2].piece_bytes,
					.later_every = ways[way / 2].later_every,
				};
				round_trip(codings[coding], &source, ways[way / 2].at_once);
				free(text);
			}
		}
	}
}

/* A short body in pieces of every size. */
static void test_every_piece_size(void)
{
	char *text = make_text(60, false);
	EACH_CODING(coding)
	{
		for (size_t piece_bytes = 1; piece_bytes <= 60; piece_bytes++) {
			for (int later_every = 0; later_every <= 3; later_every++) {
				struct source source = {
					.bytes = slice_make(text, 60),
					.piece_bytes = piece_bytes,
					.later_every = later_every == 1 ? 0 : later_every,
				};
				round_trip(codings[coding], &source, later_every == 0);
			}
		}
	}
	free(text);
}

/* Some pieces are read while segments are on threads. */
static void test_failing(void)
{
	char *text = make_text(2000000, false);
	EACH_CODING(coding)
	{
		struct test_executor executor = { .executor = { .submit = submit } };
		struct source source = {
			.bytes = slice_make(text, 2000000),
			.piece_bytes = 100000,
			.failed_at = 600000,
		};
		struct coded_pool pool;
		struct consumer consumer;
		coded_pool_init(&pool, &executor.executor);
		open_consumer(&consumer, &pool, codings[coding], &source);
		read_all(&consumer, &executor);
		CHECK(consumer.failed);
		close_consumer(&consumer);
		run_all_jobs(&executor);
		coded_pool_finish(&pool);
	}
	free(text);
}

/* The client goes away while segments are on threads. */
static void test_closed_early(void)
{
	char *text = make_text(2000000, false);
	struct source source = { .bytes = slice_make(text, 2000000), .piece_bytes = 100000 };
	EACH_CODING(coding)
	{
		for (int pieces = 0; pieces < 4; pieces++) {
			struct test_executor executor = { .executor = { .submit = submit } };
			struct coded_pool pool;
			struct consumer consumer;
			coded_pool_init(&pool, &executor.executor);
			open_consumer(&consumer, &pool, codings[coding], &source);
			read_piece(&consumer);
			CHECK(consumer.waits);
			CHECK_INT(executor.count,
					codings[coding] == HTTP_CODING_GZIP ? CODED_BODY_SEGMENTS_MAX : 1);
			for (int i = 0; i < pieces; i++) {
				while (consumer.waits) {
					run_last_job(&executor);
				}
				read_piece(&consumer);
			}
			int calls = consumer.ready_calls;
			close_consumer(&consumer);
			run_all_jobs(&executor);
			CHECK_INT(consumer.ready_calls, calls);

			/* What the closed one left behind is good for the next. */
			struct consumer second;
			open_consumer(&second, &pool, codings[coding], &source);
			read_all(&second, &executor);
			check_coded(codings[coding], buf_slice(&second.coded), source.bytes);
			close_consumer(&second);
			coded_pool_finish(&pool);
		}
	}
	free(text);
}

/* A client that does not read holds no segment. */
static void test_slow_clients(void)
{
	enum { CLIENTS = 3 * CODED_POOL_SEGMENTS_MAX };
	char *text = make_text(2000000, false);
	struct source source = { .bytes = slice_make(text, 2000000), .piece_bytes = 131072 };
	struct test_executor executor = { .executor = { .submit = submit } };
	struct consumer *consumers = memory_zalloc(CLIENTS, sizeof(*consumers));
	struct coded_pool pool;
	coded_pool_init(&pool, &executor.executor);
	for (size_t i = 0; i < CLIENTS; i++) {
		open_consumer(&consumers[i], &pool, codings[i % 2], &source);
		read_piece(&consumers[i]);
		CHECK(consumers[i].waits);
		run_all_jobs(&executor);
		read_piece(&consumers[i]);
		CHECK(consumers[i].coded.len != 0);
		run_all_jobs(&executor);
		CHECK_INT(pool.segments.used_count, 0);
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		read_all(&consumers[i], &executor);
		check_coded(codings[i % 2], buf_slice(&consumers[i].coded), source.bytes);
		close_consumer(&consumers[i]);
	}
	coded_pool_finish(&pool);
	free(consumers);
	free(text);
}

/* More clients than segments: each gets one in turn, and all of them their page. */
static void test_waiting_for_segments(void)
{
	enum { CLIENTS = CODED_POOL_SEGMENTS_MAX + 10, CLOSED = CODED_POOL_SEGMENTS_MAX + 3 };
	char *text = make_text(1500000, false);
	struct source source = { .bytes = slice_make(text, 1500000), .piece_bytes = 131072 };
	struct test_executor executor = { .executor = { .submit = submit } };
	struct consumer *consumers = memory_zalloc(CLIENTS, sizeof(*consumers));
	struct coded_pool pool;
	coded_pool_init(&pool, &executor.executor);
	for (size_t i = 0; i < CLIENTS; i++) {
		open_consumer(&consumers[i], &pool, codings[i % 2], &source);
		read_piece(&consumers[i]);
		CHECK(consumers[i].waits);
		CHECK(executor.count <= CODED_POOL_SEGMENTS_MAX);
	}
	CHECK_INT(executor.count, CODED_POOL_SEGMENTS_MAX);
	CHECK(!list_is_empty(&pool.waiters));
	close_consumer(&consumers[CLOSED]);

	size_t ended = 0;
	while (ended < CLIENTS - 1) {
		for (size_t i = 0; i < CLIENTS; i++) {
			while (i != CLOSED && !consumers[i].waits && !consumers[i].ended) {
				read_piece(&consumers[i]);
				ended += consumers[i].ended;
			}
		}
		if (executor.count == 0) {
			break;
		}
		run_last_job(&executor);
	}
	CHECK_INT(ended, CLIENTS - 1);
	for (size_t i = 0; i < CLIENTS; i++) {
		if (i != CLOSED) {
			check_coded(codings[i % 2], buf_slice(&consumers[i].coded), source.bytes);
			close_consumer(&consumers[i]);
		}
	}
	coded_pool_finish(&pool);
	free(consumers);
	free(text);
}

/* One that was woken for a segment goes away instead: the next one is woken. */
static void test_segment_passed_on(void)
{
	enum { BUSY = CODED_POOL_SEGMENTS_MAX / CODED_BODY_SEGMENTS_MAX, CLIENTS = BUSY + 2 };
	char *text = make_text(1500000, false);
	struct source source = { .bytes = slice_make(text, 1500000), .piece_bytes = 131072 };
	struct test_executor executor = { .executor = { .submit = submit } };
	struct consumer consumers[CLIENTS];
	struct coded_pool pool;
	coded_pool_init(&pool, &executor.executor);
	for (size_t i = 0; i < CLIENTS; i++) {
		open_consumer(&consumers[i], &pool, HTTP_CODING_GZIP, &source);
		read_piece(&consumers[i]);
	}
	CHECK_INT(executor.count, CODED_POOL_SEGMENTS_MAX);
	run_last_job(&executor);
	CHECK(!consumers[BUSY].waits && consumers[BUSY + 1].waits);
	close_consumer(&consumers[BUSY]);
	CHECK(!consumers[BUSY + 1].waits);
	for (size_t i = 0; i < CLIENTS; i++) {
		if (i != BUSY) {
			close_consumer(&consumers[i]);
		}
	}
	run_all_jobs(&executor);
	coded_pool_finish(&pool);
	free(text);
}

static void check_answer(struct coded_pool *pool, const char *accepted, const char *fields)
{
	struct source source = { .body = { .next = source_next, .close = source_close } };
	struct http_header header = { SLICE("accept-encoding"), slice_of_string(accepted) };
	struct exchange exchange = { .request = { .headers = &header, .header_count = 1 } };
	buf_init(&exchange.response.fields, 0);
	coded_body_answer(pool, &exchange, &source.body);
	CHECK_STRING(buf_slice(&exchange.response.fields), fields);
	CHECK_INT(exchange.response.stream == &source.body, fields[0] == '\0');
	exchange.response.stream->close(exchange.response.stream);
	CHECK(source.closed);
	buf_finish(&exchange.response.fields);
}

/* Each zstd body takes memory as long as it lasts: when there are many, others get gzip. */
static void test_answers(void)
{
	struct test_executor executor = { .executor = { .submit = submit }, .at_once = true };
	struct coded_pool pool;
	coded_pool_init(&pool, &executor.executor);
	check_answer(&pool, "", "");
	check_answer(&pool, "br", "");
	check_answer(&pool, "gzip", "Content-Encoding: gzip\r\n");
	check_answer(&pool, "zstd", "Content-Encoding: zstd\r\n");

	struct source source = { .piece_bytes = 1 };
	struct consumer consumers[CODED_POOL_ZSTD_MAX];
	for (size_t i = 0; i < CODED_POOL_ZSTD_MAX; i++) {
		open_consumer(&consumers[i], &pool, HTTP_CODING_ZSTD, &source);
	}
	check_answer(&pool, "zstd, gzip;q=0.5", "Content-Encoding: gzip\r\n");
	check_answer(&pool, "zstd", "");
	for (size_t i = 0; i < CODED_POOL_ZSTD_MAX; i++) {
		close_consumer(&consumers[i]);
	}
	check_answer(&pool, "zstd, gzip;q=0.5", "Content-Encoding: zstd\r\n");
	coded_pool_finish(&pool);
}

int main(void)
{
	RUN(test_round_trips);
	RUN(test_every_piece_size);
	RUN(test_failing);
	RUN(test_closed_early);
	RUN(test_slow_clients);
	RUN(test_waiting_for_segments);
	RUN(test_segment_passed_on);
	RUN(test_answers);
	return check_done();
}
