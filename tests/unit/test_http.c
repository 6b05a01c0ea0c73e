/*
 * Requests in, answers out: every case at every split of its bytes.
 */

#include "base/clock.h"
#include "check.h"
#include "guard.h"
#include "http_driver.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define HOST "Host: h\r\n"
#define OK_HEAD(more) "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 0\r\n" more "\r\n"
#define OK OK_HEAD("")
#define OK_CLOSE OK_HEAD("Connection: close\r\n")
#define OK_10 "HTTP/1.0 200 OK\r\n" DATE "Content-Length: 0\r\nConnection: close\r\n\r\n"
#define OK_10_KEPT "HTTP/1.0 200 OK\r\n" DATE "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n"
#define REFUSED(status, length, text)                                                              \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain; charset=utf-8\r\n" DATE                      \
	"Content-Length: " length "\r\nConnection: close\r\n\r\n" text
#define BAD REFUSED("400 Bad Request", "15", "400 Bad Request")
#define ERROR(status, length, text)                                                                \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain; charset=utf-8\r\n"                           \
	"X-Content-Type-Options: nosniff\r\n" DATE "Content-Length: " length "\r\n\r\n" text
#define NOT_FOUND ERROR("404 Not Found", "19", "404 page not found\n")
#define STREAMED "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n"

enum { HEADER_LIMIT = 400, BODY_LIMIT = 200 };

static const struct http_limits limits = {
	.header_bytes = HEADER_LIMIT,
	.body_bytes = BODY_LIMIT,
	.connections = 10,
};

struct test_case {
	const char *in;
	const char *log; /* what the handler saw */
	const char *out;
	enum http_phase phase; /* afterwards */
};

static struct guard guard;

static void feed_guarded(struct driver *driver, const char *at, size_t len)
{
	driver_feed(driver, guard_copy(&guard, slice_make(at, len)));
}

static void check_case(const struct test_case *test, const struct driver *driver, size_t split)
{
	int before = check_failures;
	CHECK_STRING(buf_slice(&driver->log), test->log);
	CHECK_STRING(buf_slice(&driver->out), test->out);
	CHECK_INT(http_session_phase(&driver->session), test->phase);
	if (check_failures != before) {
		fprintf(stderr, "for %s\nsplit at %zu\n", test->in, split);
	}
}

static void run_split(const struct test_case *test, size_t split)
{
	struct driver driver;
	driver_init(&driver, &limits);
	feed_guarded(&driver, test->in, split);
	feed_guarded(&driver, test->in + split, strlen(test->in) - split);
	check_case(test, &driver, split);
	driver_finish(&driver);
	CHECK_INT(driver.streams_open, 0);
}

static void run_bytewise(const struct test_case *test, size_t write_bytes)
{
	struct driver driver;
	driver_init(&driver, &limits);
	driver.write_bytes = write_bytes;
	for (size_t i = 0; i < strlen(test->in); i++) {
		feed_guarded(&driver, test->in + i, 1);
	}
	check_case(test, &driver, SIZE_MAX);
	driver_finish(&driver);
}

/* The bytes lie in an input buffer, where large bodies stay. */
static void run_in_place(const struct test_case *test)
{
	struct driver driver;
	driver_init(&driver, &limits);
	struct http_input *input = http_inputs_take(&driver.server.inputs);
	size_t len = strlen(test->in);
	memcpy(input->data, test->in, len);
	http_session_feed(&driver.session, input, slice_make(input->data, len));
	http_input_unref(input);
	driver_pump(&driver);
	check_case(test, &driver, len);
	driver_finish(&driver);
}

static void run_cases(const struct test_case *tests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t split = 0; split <= strlen(tests[i].in); split++) {
			run_split(&tests[i], split);
		}
		run_bytewise(&tests[i], 0);
		run_bytewise(&tests[i], 7);
		run_in_place(&tests[i]);
	}
}

#define RUN_CASES(tests) run_cases(tests, sizeof(tests) / sizeof((tests)[0]))

static void test_requests(void)
{
	static const struct test_case tests[] = {
		{ "", "", "", HTTP_PHASE_HEAD },
		{ "PUT /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "PUT /a [abc]\n", OK,
				HTTP_PHASE_IDLE },
		{ "\r\n\r\nGET /a?b=c?d HTTP/1.1\r\n" HOST "\r\n\r\n", "GET /a?b=c?d []\n", OK,
				HTTP_PHASE_IDLE },
		{ "POST /a HTTP/1.1\r\n" HOST "\r\n", "POST /a []\n", OK, HTTP_PHASE_IDLE },
		{ "POST /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "POST /a []\n", OK,
				HTTP_PHASE_IDLE },
		{ "GET /404 HTTP/1.1\r\n" HOST "\r\n", "GET /404 []\n", NOT_FOUND, HTTP_PHASE_IDLE },
		{ "HEAD /404 HTTP/1.1\r\n" HOST "\r\n", "HEAD /404 []\n", ERROR("404 Not Found", "19", ""),
				HTTP_PHASE_IDLE },
		{ "GET /204 HTTP/1.1\r\n" HOST "\r\n", "GET /204 []\n",
				"HTTP/1.1 204 No Content\r\n" DATE "\r\n", HTTP_PHASE_IDLE },
		{ "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "GET /a []\n", OK_CLOSE,
				HTTP_PHASE_OVER },
		{ "GET /close HTTP/1.1\r\n" HOST "\r\n", "GET /close []\n", OK_CLOSE, HTTP_PHASE_OVER },
		{ "GET /a HTTP/1.0\r\n\r\n", "GET /a []\n", OK_10, HTTP_PHASE_OVER },
		{ "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /a []\n", OK_10_KEPT,
				HTTP_PHASE_IDLE },
		{ "GET /a HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "GET /a []\n",
				OK, HTTP_PHASE_IDLE },
		{ "GET /a HTTP/1.1\r\n" HOST "Empty:\r\nTab:\ta\tb\t\r\nHigh: \xff\r\n\r\n", "GET /a []\n",
				OK, HTTP_PHASE_IDLE },
	};
	RUN_CASES(tests);
}

static void test_methods(void)
{
	static const struct test_case tests[] = {
		{ "FOO /a HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nxyget /b HTTP/1.1\r\n" HOST "\r\n",
				"FOO /a [xy]\nget /b []\n", OK OK, HTTP_PHASE_IDLE },
		{ "PROPFIND /a HTTP/1.1\r\n" HOST "\r\n", "PROPFIND /a []\n", OK, HTTP_PHASE_IDLE },
		{ "CONNECT h:443 HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
				"CONNECT  []\nGET /b []\n", OK OK, HTTP_PHASE_IDLE },
		{ "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * []\n", OK, HTTP_PHASE_IDLE },
		{ "GET * HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "G(T /a HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ " /a HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "",
				REFUSED("505 HTTP Version Not Supported", "60",
						"505 HTTP Version Not Supported: unsupported protocol version"),
				HTTP_PHASE_LINGER },
		{ "SETUP /a RTSP/1.0\r\n\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET /a HTTP/1.2\r\n" HOST "\r\n", "",
				REFUSED("505 HTTP Version Not Supported", "60",
						"505 HTTP Version Not Supported: unsupported protocol version"),
				HTTP_PHASE_LINGER },
		{ "GET /a\r\n\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET\r\n\r\n", "", BAD, HTTP_PHASE_LINGER },
	};
	RUN_CASES(tests);
}

static void test_targets(void)
{
	static const struct test_case tests[] = {
		{ "GET /a%20b%2Fc+%41%2541 HTTP/1.1\r\n" HOST "\r\n", "GET /a b/c+A%41 []\n", OK,
				HTTP_PHASE_IDLE },
		{ "GET /\xc3\xa4\"{}|#x?%zz HTTP/1.1\r\n" HOST "\r\n", "GET /\xc3\xa4\"{}|#x?%zz []\n", OK,
				HTTP_PHASE_IDLE },
		{ "GET http://h:1/a%20b?c HTTP/1.1\r\n" HOST "\r\n", "GET /a b?c []\n", OK,
				HTTP_PHASE_IDLE },
		{ "GET HTTPS://h?c HTTP/1.1\r\n" HOST "\r\n", "GET /?c []\n", OK, HTTP_PHASE_IDLE },
		{ "GET http:///a HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET /%zz HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET /%4 HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET /a b HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET  /a HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET /a  HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET /a\tb HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET /a\x01 HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET a HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "GET ftp://h/a HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
	};
	RUN_CASES(tests);
}

static void test_pipelining(void)
{
	static const struct test_case tests[] = {
		{ "GET /a HTTP/1.1\r\n" HOST "\r\nPUT /404 HTTP/1.1\r\n" HOST
		  "Content-Length: 1\r\n\r\nxGET /c HTTP/1.1\r\n" HOST "\r\n",
				"GET /a []\nPUT /404 [x]\nGET /c []\n", OK NOT_FOUND OK, HTTP_PHASE_IDLE },
		{ "GET /a HTTP/1.1\r\n" HOST "\r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
				"GET /a []\nGET /b []\n", OK OK, HTTP_PHASE_IDLE },
		{ "GET /a HTTP/1.1\r\n" HOST "\r\nGET /%zz HTTP/1.1\r\n" HOST "\r\nGET /c HTTP/1.1\r\n" HOST
		  "\r\n",
				"GET /a []\n", OK BAD, HTTP_PHASE_LINGER },
		{ "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
				"GET /a []\n", OK_CLOSE, HTTP_PHASE_LINGER },
	};
	RUN_CASES(tests);
}

static void test_chunked(void)
{
#define CHUNKED "PUT /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
#define BAD_LENGTH REFUSED("400 Bad Request", "29", "invalid byte in chunk length\n")
#define BAD_CHUNK REFUSED("400 Bad Request", "27", "malformed chunked encoding\n")
	static const struct test_case tests[] = {
		{ CHUNKED "3\r\nabc\r\n0\r\n\r\n", "PUT /a [abc]\n", OK, HTTP_PHASE_IDLE },
		{ CHUNKED "0\r\n\r\n", "PUT /a []\n", OK, HTTP_PHASE_IDLE },
		{ CHUNKED "3;a=b;c=\"d e\"\r\nabc\r\n0A \t;x\r\n0123456789\r\n00\r\nTrail: er\r\n"
				  "Two:\r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
				"PUT /a [abc0123456789]\nGET /b []\n", OK OK, HTTP_PHASE_IDLE },
		{ CHUNKED "x\r\n", "", BAD_LENGTH, HTTP_PHASE_LINGER },
		{ CHUNKED "\r\n", "", BAD_LENGTH, HTTP_PHASE_LINGER },
		{ CHUNKED "-1\r\n", "", BAD_LENGTH, HTTP_PHASE_LINGER },
		{ CHUNKED "0x3\r\n", "", BAD_LENGTH, HTTP_PHASE_LINGER },
		{ CHUNKED "3\nabc\r\n", "", BAD_LENGTH, HTTP_PHASE_LINGER },
		{ CHUNKED "10000000000000000\r\n", "", BAD_LENGTH, HTTP_PHASE_LINGER },
		{ CHUNKED "3\r\nabcd\r\n", "", BAD_CHUNK, HTTP_PHASE_LINGER },
		{ CHUNKED "3\r\nabc\n0\r\n\r\n", "", BAD_CHUNK, HTTP_PHASE_LINGER },
		{ CHUNKED "3\r\nabc\rx", "", BAD_CHUNK, HTTP_PHASE_LINGER },
		{ CHUNKED "3\r\nabcx\n0\r\n\r\n", "", BAD_CHUNK, HTTP_PHASE_LINGER },
		{ CHUNKED "3;a\nabc\r\n", "", BAD_CHUNK, HTTP_PHASE_LINGER },
		{ CHUNKED "3 4\r\n", "", BAD_CHUNK, HTTP_PHASE_LINGER },
		{ CHUNKED "0\r\nA: b\n\r\n", "", BAD_CHUNK, HTTP_PHASE_LINGER },
		{ CHUNKED "0\r\n b: c\r\n\r\n", "", BAD_CHUNK, HTTP_PHASE_LINGER },
		{ CHUNKED "0\r\nGET / HTTP/1.1\r\n\r\n", "", BAD_CHUNK, HTTP_PHASE_LINGER },
		{ CHUNKED "0\r\n\rx", "", BAD_CHUNK, HTTP_PHASE_LINGER },
	};
	RUN_CASES(tests);
}

/* Each of these is read differently by different servers: none is accepted. */
static void test_smuggling(void)
{
	static const char *const heads[] = {
		HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
		HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
		HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
		HOST "Content-Length: 3, 3\r\n\r\n",
		HOST "Content-Length: +3\r\n\r\n",
		HOST "Content-Length: -3\r\n\r\n",
		HOST "Content-Length: abc\r\n\r\n",
		HOST "Content-Length: 0x3\r\n\r\n",
		HOST "Content-Length: 3 3\r\n\r\n",
		HOST "Content-Length:\r\n\r\n",
		HOST "Content-Length: 18446744073709551617\r\n\r\n",
		HOST "Content_Length: 3\r\nContent-Length : 3\r\n\r\n",
		HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		HOST "Transfer-Encoding: chunked, chunked\r\n\r\n",
		HOST "Transfer-Encoding: chunked, gzip\r\n\r\n",
		HOST "Transfer-Encoding : chunked\r\n\r\n",
		HOST "Transfer-Encoding\t: chunked\r\n\r\n",
		HOST "Transfer-Encoding:\r\n chunked\r\n\r\n",
		HOST "Transfer-Encoding: \x0b"
			 "chunked\r\n\r\n",
		HOST "A: b\r\n c\r\n\r\n",
		HOST "A: b\r\n\tc\r\n\r\n",
		" A: b\r\n" HOST "\r\n",
		HOST "A: b\n\r\n",
		HOST "A: b\n\n",
		HOST "A: b\rC: d\r\n\r\n",
		HOST "A: b\r\r\n\r\n",
		HOST "A: b\x01\r\n\r\n",
		HOST "A: b\x7f\r\n\r\n",
		HOST "A b: c\r\n\r\n",
		HOST "A\r\n\r\n",
		HOST ": b\r\n\r\n",
		HOST "\xc3\xa4: b\r\n\r\n",
		HOST "\rGET /b HTTP/1.1\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		char in[512];
		snprintf(in, sizeof(in), "POST /a HTTP/1.1\r\n%s", heads[i]);
		run_cases(&(struct test_case){ in, "", BAD, HTTP_PHASE_LINGER }, 1);
	}
	static const struct test_case tests[] = {
		{ "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "",
				"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n" DATE
				"Content-Length: 15\r\nConnection: close\r\n\r\n400 Bad Request",
				HTTP_PHASE_LINGER },
		{ "GET /a HTTP/1.1\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "\nGET /a HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
		{ "\rGET /a HTTP/1.1\r\n" HOST "\r\n", "", BAD, HTTP_PHASE_LINGER },
	};
	RUN_CASES(tests);
	struct driver driver;
	driver_init(&driver, &limits);
	driver_feed(&driver, SLICE("GET /a HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n"));
	CHECK_STRING(buf_slice(&driver.out), BAD);
	driver_finish(&driver);
}

static void test_refusals(void)
{
#define UNSUPPORTED REFUSED("501 Not Implemented", "29", "Unsupported transfer encoding")
	static const struct test_case tests[] = {
		{ "GET /a HTTP/1.1\r\n\r\n", "",
				REFUSED("400 Bad Request", "45", "400 Bad Request: missing required Host header"),
				HTTP_PHASE_LINGER },
		{ "GET /a HTTP/1.1\r\n" HOST HOST "\r\n", "",
				REFUSED("400 Bad Request", "38", "400 Bad Request: too many Host headers"),
				HTTP_PHASE_LINGER },
		{ "PUT /a HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", "", UNSUPPORTED,
				HTTP_PHASE_LINGER },
		{ "PUT /a HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", "", UNSUPPORTED,
				HTTP_PHASE_LINGER },
		{ "PUT /a HTTP/1.1\r\n" HOST "Expect: miracles\r\n\r\n", "",
				"HTTP/1.1 417 Expectation Failed\r\n" DATE
				"Content-Length: 0\r\nConnection: close\r\n\r\n",
				HTTP_PHASE_LINGER },
		{ "PUT /a HTTP/1.1\r\n" HOST "Content-Length: 201\r\n\r\nabc", "",
				REFUSED("413 Request Entity Too Large", "72",
						"the request's body is larger than the limit of 200 "
						"(--limit.body-bytes)\n"),
				HTTP_PHASE_LINGER },
		{ CHUNKED "c9\r\nabc", "",
				REFUSED("413 Request Entity Too Large", "72",
						"the request's body is larger than the limit of 200 "
						"(--limit.body-bytes)\n"),
				HTTP_PHASE_LINGER },
	};
	RUN_CASES(tests);
}

static void test_head_limit(void)
{
	struct driver driver;
	char head[HEADER_LIMIT + 2];
	for (int extra = 0; extra <= 1; extra++) {
		int padding = HEADER_LIMIT + extra - (int)strlen("GET / HTTP/1.1\r\n" HOST "A: \r\n\r\n");
		snprintf(head, sizeof(head), "GET / HTTP/1.1\r\n" HOST "A: %0*d\r\n\r\n", padding, 0);
		for (size_t split = 0; split <= strlen(head); split++) {
			driver_init(&driver, &limits);
			feed_guarded(&driver, head, split);
			feed_guarded(&driver, head + split, strlen(head) - split);
			CHECK(slice_starts_with(buf_slice(&driver.out),
					extra == 0 ? SLICE(OK) : SLICE("HTTP/1.1 431 Request Header Fields Too")));
			CHECK_INT(driver.server.counters.headers_too_large, extra);
			driver_finish(&driver);
		}
	}
}

static void test_continue(void)
{
	const struct slice head =
			SLICE("PUT /a HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n");
	struct driver driver;
	driver_init(&driver, &limits);

	driver_feed(&driver, head);
	CHECK_STRING(buf_slice(&driver.out), "HTTP/1.1 100 Continue\r\n\r\n");
	driver_feed(&driver, SLICE("abc"));
	CHECK_STRING(buf_slice(&driver.out), "HTTP/1.1 100 Continue\r\n\r\n" OK);

	/* Not when the body is there, nor when none is to come. */
	buf_reset(&driver.out, 0);
	driver_feed(&driver,
			SLICE("PUT /a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
				  "PUT /a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n"));
	CHECK_STRING(buf_slice(&driver.out), OK OK);

	/* Nor when it is on its way. */
	buf_reset(&driver.out, 0);
	driver_feed(&driver,
			SLICE("PUT /a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\na"));
	CHECK_STRING(buf_slice(&driver.out), "");
	driver_feed(&driver, SLICE("bc"));
	CHECK_STRING(buf_slice(&driver.out), OK);

	/* Not before the answers to earlier requests. */
	buf_reset(&driver.out, 0);
	driver_feed(&driver, SLICE("GET /wait HTTP/1.1\r\n" HOST "\r\n"));
	driver_feed(&driver, head);
	CHECK_STRING(buf_slice(&driver.out), "");
	driver_answer(&driver, false);
	driver_pump(&driver);
	CHECK_STRING(buf_slice(&driver.out), OK "HTTP/1.1 100 Continue\r\n\r\n");

	/* Not after a refusal. */
	http_session_refuse(&driver.session, REFUSAL_BODY_TIMEOUT);
	buf_reset(&driver.out, 0);
	driver_pump(&driver);
	CHECK(slice_starts_with(buf_slice(&driver.out), SLICE("HTTP/1.1 408 Request Timeout\r\n")));
	CHECK_INT(http_session_phase(&driver.session), HTTP_PHASE_LINGER);
	driver_finish(&driver);
}

/* Answers given by the head alone. */
static void test_early_answers(void)
{
#define EARLY(more) "PUT /early HTTP/1.1\r\n" HOST more "\r\n"
#define REFUSED_EARLY                                                                              \
	"HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\n"               \
	"X-Content-Type-Options: nosniff\r\n" DATE                                                     \
	"Content-Length: 19\r\nConnection: close\r\n\r\nMethod Not Allowed\n"
	static const struct test_case tests[] = {
		{ EARLY("Content-Length: 3\r\n") "abcGET /b HTTP/1.1\r\n" HOST "\r\n", "GET /b []\n",
				ERROR("405 Method Not Allowed", "19", "Method Not Allowed\n") OK, HTTP_PHASE_IDLE },
		{ EARLY("Transfer-Encoding: chunked\r\n") "3\r\nabc\r\n0\r\n\r\n", "", REFUSED_EARLY,
				HTTP_PHASE_LINGER },
		{ EARLY("Expect: 100-continue\r\nContent-Length: 3\r\n"), "", REFUSED_EARLY,
				HTTP_PHASE_LINGER },
	};
	RUN_CASES(tests);
}

static void test_admission(void)
{
#define KNOCK(method, how, more) method " /knock/" how " HTTP/1.1\r\n" HOST more "\r\n"
#define AWAY_HEAD                                                                                  \
	"HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain; charset=utf-8\r\n"                     \
	"X-Content-Type-Options: nosniff\r\n" DATE "Content-Length: 13\r\n"
#define AWAY AWAY_HEAD "\r\nUnauthorized\n"
#define AWAY_CLOSE AWAY_HEAD "Connection: close\r\n\r\nUnauthorized\n"
	static const struct test_case tests[] = {
		{ KNOCK("GET", "in", ""), "GET /knock/in []\n", OK, HTTP_PHASE_IDLE },
		{ KNOCK("GET", "out", ""), "", AWAY, HTTP_PHASE_IDLE },
		{ KNOCK("GET", "no", ""), "", AWAY, HTTP_PHASE_IDLE },
		{ KNOCK("GET", "no", "Connection: close\r\n"), "", AWAY_CLOSE, HTTP_PHASE_OVER },
		{ KNOCK("GET", "out", "Connection: close\r\n"), "", AWAY_CLOSE, HTTP_PHASE_OVER },
		{ KNOCK("GET", "no", "Expect: 100-continue\r\n"), "", AWAY, HTTP_PHASE_IDLE },
		{ KNOCK("PUT", "in", "Content-Length: 3\r\n") "abc" KNOCK("GET", "out", "")
						KNOCK("PUT", "in", "Content-Length: 1\r\n") "d",
				"PUT /knock/in [abc]\nPUT /knock/in [d]\n", OK AWAY OK, HTTP_PHASE_IDLE },
		{ KNOCK("PUT", "in", "Transfer-Encoding: chunked\r\n") "3\r\nabc\r\n0\r\n\r\n"
															   "GET /b HTTP/1.1\r\n" HOST "\r\n",
				"PUT /knock/in [abc]\nGET /b []\n", OK OK, HTTP_PHASE_IDLE },
		{ KNOCK("PUT", "out", "Content-Length: 3\r\n") "abc" KNOCK(
				  "PUT", "no", "Content-Length: 3\r\n") "def"
														"GET /b HTTP/1.1\r\n" HOST "\r\n",
				"GET /b []\n", AWAY AWAY OK, HTTP_PHASE_IDLE },
		{ KNOCK("PUT", "out", "Content-Length: 300000\r\n"), "", AWAY_CLOSE, HTTP_PHASE_LINGER },
		{ KNOCK("PUT", "no", "Content-Length: 300000\r\n") "abc", "", AWAY_CLOSE,
				HTTP_PHASE_LINGER },
		{ KNOCK("PUT", "in", "Content-Length: 201\r\n"), "",
				REFUSED("413 Request Entity Too Large", "72",
						"the request's body is larger than the limit of 200 "
						"(--limit.body-bytes)\n"),
				HTTP_PHASE_LINGER },
		{ KNOCK("PUT", "out", "Transfer-Encoding: chunked\r\n") "3\r\nabc\r\n0\r\n\r\n", "",
				AWAY_CLOSE, HTTP_PHASE_LINGER },
		{ KNOCK("PUT", "out", "Expect: 100-continue\r\nContent-Length: 3\r\n"), "", AWAY_CLOSE,
				HTTP_PHASE_LINGER },
		{ KNOCK("PUT", "in", "Expect: 100-continue\r\nContent-Length: 3\r\n"), "",
				"HTTP/1.1 100 Continue\r\n\r\n", HTTP_PHASE_BODY },
	};
	RUN_CASES(tests);
}

/* Decided on when the client has long been gone, or after an answer that ends the connection. */
static void test_admission_of_nobody(void)
{
	static const char *const requests[] = {
		KNOCK("GET", "in", ""),
		KNOCK("GET", "out", ""),
		KNOCK("PUT", "in", "Content-Length: 3\r\n") "abc",
		"GET /wait HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
		"GET /close HTTP/1.1\r\n" HOST "\r\n" KNOCK("GET", "in", ""),
	};
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct driver driver;
		driver_init(&driver, &limits);
		http_session_feed(&driver.session, NULL, slice_of_string(requests[i]));
		CHECK_INT(http_session_phase(&driver.session), HTTP_PHASE_ANSWER);
		driver_finish(&driver);
		CHECK_INT(driver.server.exchange_count, 0);
	}
}

/* While it is decided, nothing is read, and the answers before it go out. */
static void test_pause(void)
{
	struct driver driver;
	driver_init(&driver, &limits);
	http_session_feed(&driver.session, NULL,
			SLICE("GET /a HTTP/1.1\r\n" HOST "\r\n" KNOCK("PUT", "in", "Content-Length: 3\r\n")));
	CHECK(!http_session_wants_input(&driver.session));
	CHECK(http_session_fill(&driver.session));
	driver_write(&driver);
	CHECK_STRING(buf_slice(&driver.out), OK);
	CHECK(!http_session_has_more(&driver.session));
	int wakes = driver.wakes;
	CHECK(driver_decide(&driver));
	CHECK(driver.wakes > wakes);
	CHECK(http_session_wants_input(&driver.session));
	CHECK_INT(http_session_phase(&driver.session), HTTP_PHASE_BODY);
	driver_feed(&driver, SLICE("abc"));
	CHECK_STRING(buf_slice(&driver.log), "GET /a []\nPUT /knock/in [abc]\n");
	driver_finish(&driver);
}

static void test_streams(void)
{
	static const struct test_case tests[] = {
		{ "GET /stream HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
				"GET /stream []\nGET /b []\n", STREAMED "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n" OK,
				HTTP_PHASE_IDLE },
		{ "GET /stream HTTP/1.1\r\n" HOST "\r\nGET /stream HTTP/1.1\r\n" HOST "\r\n",
				"GET /stream []\nGET /stream []\n",
				STREAMED "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n" STREAMED
						 "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
				HTTP_PHASE_IDLE },
		{ "HEAD /stream HTTP/1.1\r\n" HOST "\r\n", "HEAD /stream []\n", STREAMED, HTTP_PHASE_IDLE },
		{ "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /stream []\n",
				"HTTP/1.0 200 OK\r\n" DATE "Connection: close\r\n\r\nabcdef", HTTP_PHASE_OVER },
		{ "GET /stream/failed HTTP/1.1\r\n" HOST "\r\n", "GET /stream/failed []\n",
				STREAMED "3\r\nabc", HTTP_PHASE_CUT },
	};
	RUN_CASES(tests);
}

static void check_big(size_t write_bytes)
{
	struct driver driver;
	driver_init(&driver, &limits);
	driver.write_bytes = write_bytes;
	driver_feed(&driver,
			SLICE("GET /stream/big HTTP/1.1\r\n" HOST "\r\nGET /big HTTP/1.1\r\n" HOST
				  "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n"));
	const char start[] = STREAMED "3\r\nabc\r\n3\r\ndef\r\n186a0\r\n";
	const char middle[] = "\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n" DATE "Content-Length: 100000\r\n\r\n";
	struct slice out = buf_slice(&driver.out);
	CHECK_INT(out.len, strlen(start) + strlen(middle) + 2 * DRIVER_BIG_BYTES + strlen(OK));
	CHECK(slice_starts_with(out, slice_of_string(start)));
	CHECK(slice_starts_with(
			slice_skip(out, strlen(start) + DRIVER_BIG_BYTES), slice_of_string(middle)));
	CHECK(slice_ends_with(out, SLICE("bbb" OK)));
	driver_finish(&driver);
	CHECK_INT(driver.streams_open, 0);
}

static void test_big_answers(void)
{
	check_big(0);
	check_big(1);
	check_big(999);
}

static void test_stream_that_waits(void)
{
	struct driver driver;
	driver_init(&driver, &limits);
	driver_feed(&driver, SLICE("GET /stream/later HTTP/1.1\r\n" HOST "\r\n"));
	CHECK_STRING(buf_slice(&driver.out), STREAMED "3\r\nabc");
	CHECK_INT(http_session_phase(&driver.session), HTTP_PHASE_ANSWER);
	struct http_body *stream = driver.session.sending->response.stream;
	stream->ready(stream->ready_data);
	CHECK_INT(driver.wakes, 1);
	driver_pump(&driver);
	CHECK_STRING(buf_slice(&driver.out), STREAMED "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");

	/* Gone while it waits. */
	driver_feed(&driver, SLICE("GET /stream/later HTTP/1.1\r\n" HOST "\r\n"));
	driver_finish(&driver);
	CHECK_INT(driver.streams_open, 0);
}

static void test_window(void)
{
	struct driver driver;
	struct buf in;
	driver_init(&driver, &limits);
	buf_init(&in, 0);
	for (int i = 0; i < 70; i++) {
		buf_printf(&in, "GET /wait?%02d HTTP/1.1\r\n" HOST "\r\n", i);
	}
	driver_feed(&driver, buf_slice(&in));
	CHECK_INT(driver.waiting_count, 32);
	CHECK(!http_session_wants_input(&driver.session));

	/* Answers in the wrong order go out in the right one. */
	for (int round = 0; round < 3; round++) {
		driver_answer(&driver, true);
		driver_pump(&driver);
	}
	CHECK(http_session_wants_input(&driver.session));
	CHECK_INT(driver.server.counters.requests, 70);
	struct slice out = buf_slice(&driver.out);
	for (int i = 0; i < 70; i++) {
		char wanted[] = "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 2\r\n\r\n00";
		wanted[sizeof(wanted) - 3] = (char)('0' + i / 10);
		wanted[sizeof(wanted) - 2] = (char)('0' + i % 10);
		CHECK_SLICE(slice_first(out, strlen(wanted)), slice_of_string(wanted));
		out = slice_skip(out, strlen(wanted));
	}
	buf_finish(&in);
	driver_finish(&driver);
}

static void test_client_goes_away(void)
{
	struct driver driver;
	driver_init(&driver, &limits);
	driver_feed(&driver,
			SLICE("GET /wait?1 HTTP/1.1\r\n" HOST "\r\nGET /stream HTTP/1.1\r\n" HOST
				  "\r\nPUT /wait?2 HTTP/1.1\r\n" HOST
				  "Content-Length: 3\r\n\r\nabcPUT /half HTTP/1.1\r\n"));
	http_session_finish(&driver.session);
	CHECK_INT(driver.streams_open, 0);
	CHECK_INT(driver.waiting_count, 2);
	CHECK(driver.waiting[1]->session == NULL);
	CHECK_STRING(driver.waiting[1]->request.body, "abc");
	CHECK_INT(driver.server.exchange_count, 2);
	driver_answer(&driver, false);
	CHECK_INT(driver.server.exchange_count, 0);
	driver_finish(&driver);
}

static void test_half_closed(void)
{
	struct driver driver;
	driver_init(&driver, &limits);
	driver_feed(&driver, SLICE("GET /wait?1 HTTP/1.1\r\n" HOST "\r\nPUT /half HTTP/1.1\r\n" HOST));
	http_session_end_input(&driver.session);
	driver_pump(&driver);
	CHECK_INT(http_session_phase(&driver.session), HTTP_PHASE_ANSWER);
	driver_answer(&driver, false);
	driver_pump(&driver);
	CHECK(slice_starts_with(buf_slice(&driver.out), SLICE("HTTP/1.1 200 OK\r\n")));
	CHECK_INT(http_session_phase(&driver.session), HTTP_PHASE_OVER);
	driver_finish(&driver);
}

static void test_draining(void)
{
	struct driver driver;
	driver_init(&driver, &limits);
	driver_feed(
			&driver, SLICE("GET /wait HTTP/1.1\r\n" HOST "\r\nGET /wait HTTP/1.1\r\n" HOST "\r\n"));
	driver.server.draining = true;
	driver_answer(&driver, false);
	driver_pump(&driver);
	CHECK_STRING(buf_slice(&driver.out), OK OK_CLOSE);
	CHECK_INT(http_session_phase(&driver.session), HTTP_PHASE_OVER);
	driver_finish(&driver);
}

/* A large body stays where it was read, and the input with it. */
static void test_body_in_place(void)
{
	struct http_limits large = limits;
	large.body_bytes = 1 << 20;
	struct driver driver;
	driver_init(&driver, &large);
	struct http_input *input = http_inputs_take(&driver.server.inputs);
	int head = snprintf(input->data, input->size,
			"PUT /wait HTTP/1.1\r\n" HOST "Content-Length: 50000\r\n\r\n");
	memset(input->data + head, 'x', 50000);
	http_session_feed(&driver.session, input, slice_make(input->data, (size_t)head + 50000));
	CHECK(driver.waiting[0]->request.body.ptr == input->data + head);
	CHECK_INT(driver.waiting[0]->request.wire_bytes, head + 50000);
	CHECK_INT(input->refs, 2);
	driver_answer(&driver, false);
	driver_pump(&driver);
	CHECK_INT(input->refs, 1);
	http_input_unref(input);
	driver_finish(&driver);
}

/* One that comes in several reads is put together. */
static void test_body_in_pieces(void)
{
	struct http_limits large = limits;
	large.body_bytes = 1 << 20;
	struct driver driver;
	driver_init(&driver, &large);
	struct http_input *input = http_inputs_take(&driver.server.inputs);
	driver_feed(&driver, SLICE("PUT /wait HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n"));
	for (int i = 0; i < 3; i++) {
		memset(input->data, 'x' + i, 20000);
		http_session_feed(&driver.session, input, slice_make(input->data, 20000));
	}
	CHECK_INT(input->refs, 1);
	struct slice body = driver.waiting[0]->request.body;
	CHECK_INT(body.len, 60000);
	CHECK(body.ptr[0] == 'x' && body.ptr[19999] == 'x' && body.ptr[20000] == 'y');
	CHECK(body.ptr[39999] == 'y' && body.ptr[40000] == 'z' && body.ptr[59999] == 'z');
	http_input_unref(input);
	driver_finish(&driver);
}

static void test_exchange(void)
{
	struct driver driver;
	driver_init(&driver, &limits);
	driver_feed(&driver,
			SLICE("GET /wait?a=1&b&a=2&c=%20 HTTP/1.1\r\nhost: h\r\nX-A:  1 \r\nx-a: 2\r\n\r\n"));
	struct exchange *exchange = driver.waiting[0];
	CHECK_STRING(exchange_header(exchange, SLICE("x-A")), "1");
	CHECK_INT(exchange_count_headers(exchange, SLICE("X-a")), 2);
	CHECK(exchange_header(exchange, SLICE("X-B")).ptr == NULL);
	CHECK_STRING(exchange_query_parameter(exchange, SLICE("a")), "1");
	CHECK_STRING(exchange_query_parameter(exchange, SLICE("b")), "");
	CHECK_STRING(exchange_query_parameter(exchange, SLICE("c")), "%20");
	CHECK(exchange_query_parameter(exchange, SLICE("d")).ptr == NULL);
	driver_finish(&driver);
}

int main(void)
{
	clock_freeze(1, 784111777 * INT64_C(1000000000));
	guard_init(&guard, 1 << 16);
	RUN(test_requests);
	RUN(test_methods);
	RUN(test_targets);
	RUN(test_pipelining);
	RUN(test_chunked);
	RUN(test_smuggling);
	RUN(test_refusals);
	RUN(test_head_limit);
	RUN(test_continue);
	RUN(test_early_answers);
	RUN(test_admission);
	RUN(test_admission_of_nobody);
	RUN(test_pause);
	RUN(test_streams);
	RUN(test_big_answers);
	RUN(test_stream_that_waits);
	RUN(test_window);
	RUN(test_client_goes_away);
	RUN(test_half_closed);
	RUN(test_draining);
	RUN(test_body_in_place);
	RUN(test_body_in_pieces);
	RUN(test_exchange);
	guard_finish(&guard);
	return check_done();
}
