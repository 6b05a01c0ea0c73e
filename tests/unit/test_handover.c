/*
 * A session handed over to a fresh one, at every byte: requests and answers
 * are those of a session that stayed.
 */

#include "base/clock.h"
#include "check.h"
#include "http_driver.h"

static const struct http_limits limits = {
	.header_bytes = 1000,
	.body_bytes = 1000,
	.connections = 10,
};

static void feed(struct driver *driver, struct slice bytes)
{
	if (bytes.len != 0 && http_session_wants_input(&driver->session)) {
		driver_feed(driver, bytes);
	}
}

/* In two pieces; moved between them or not. */
static void run(struct driver *driver, struct slice bytes, size_t split, bool moves)
{
	driver_init(driver, &limits);
	feed(driver, slice_first(bytes, split));
	if (moves) {
		bool is_over = driver->session.reading == READING_NOTHING;
		uint64_t requests = driver->session.requests;
		enum http_phase phase = http_session_phase(&driver->session);
		CHECK_INT(driver_move(driver), !is_over);
		CHECK_INT(driver->session.requests, requests);
		CHECK_INT(http_session_phase(&driver->session), phase);
	}
	feed(driver, slice_skip(bytes, split));
}

static void check_every_split(const char *text)
{
	struct slice bytes = slice_of_string(text);
	for (size_t split = 0; split <= bytes.len; split++) {
		struct driver stayed;
		struct driver moved;
		run(&stayed, bytes, split, false);
		run(&moved, bytes, split, true);
		CHECK_SLICE(buf_slice(&moved.log), buf_slice(&stayed.log));
		CHECK_SLICE(buf_slice(&moved.out), buf_slice(&stayed.out));
		CHECK_INT(http_session_phase(&moved.session), http_session_phase(&stayed.session));
		driver_finish(&stayed);
		driver_finish(&moved);
	}
}

#define PUT(fields) "PUT /a?q HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
#define EARLY "PUT /early HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
#define CHUNKED PUT("Transfer-Encoding: chunked\r\n")

static void test_every_split(void)
{
	static const char *const texts[] = {
		"GET /a HTTP/1.1\r\nHost: h\r\nX-Field: value\r\n\r\n",
		"\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
		PUT("Content-Length: 5\r\n") "hello" PUT("Content-Length: 1\r\n") "x",
		PUT("Content-Length: 0\r\n") PUT("Content-Length: 2\r\n") "xy",
		CHUNKED "5\r\nhello\r\n0\r\n\r\n" CHUNKED "0\r\n\r\n",
		CHUNKED "0005;name=value;more\r\nhello\r\n1  ;a\r\n!\r\n1 \r\n?\r\n000\r\n\r\n",
		CHUNKED "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n00\r\nTrailer: x\r\nOther:\r\n\r\n",
		CHUNKED "1\r\nx\r\n0\r\nTrailer\r\n",
		CHUNKED "g\r\n",
		CHUNKED "3e9\r\nx",
		CHUNKED "3e7\r\nx\r\n3e8\r\n",
		PUT("Content-Length: 2\r\nExpect: 100-continue\r\n") "xy",
		PUT("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n") "1\r\nx\r\n0\r\n\r\n",
		EARLY "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /a HTTP/1.0\r\n\r\n",
		"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
		"GET /stream HTTP/1.1\r\nHost: h\r\n\r\nGET /404 HTTP/1.1\r\nHost: h\r\n\r\n",
		"bad request\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		check_every_split(texts[i]);
	}
}

/* What is not answered, or not written, keeps a session where it is. */
static void test_impossible(void)
{
	struct driver driver;
	driver_init(&driver, &limits);
	CHECK(http_handover_is_possible(&driver.session));
	driver_feed(&driver, SLICE("GET /wait HTTP/1.1\r\nHost: h\r\n\r\nPUT /a"));
	CHECK(!http_handover_is_possible(&driver.session));
	driver_answer(&driver, false);
	CHECK(http_session_fill(&driver.session));
	CHECK(!http_handover_is_possible(&driver.session));
	driver_write(&driver);
	CHECK(driver_move(&driver));
	feed(&driver, SLICE(" HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"));
	CHECK_STRING(buf_slice(&driver.log), "GET /wait []\nPUT /a [x]\n");
	http_session_end_input(&driver.session);
	CHECK(!http_handover_is_possible(&driver.session));
	driver_finish(&driver);
}

/* A kept connection without a request has another deadline than a new one. */
static void test_phases(void)
{
	struct driver driver;
	driver_init(&driver, &limits);
	CHECK(driver_move(&driver));
	CHECK_INT(http_session_phase(&driver.session), HTTP_PHASE_HEAD);
	driver_feed(&driver, SLICE("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK(driver_move(&driver));
	CHECK_INT(http_session_phase(&driver.session), HTTP_PHASE_IDLE);
	driver_finish(&driver);
}

int main(void)
{
	clock_freeze(1, 1);
	RUN(test_every_split);
	RUN(test_impossible);
	RUN(test_phases);
	return check_done();
}
