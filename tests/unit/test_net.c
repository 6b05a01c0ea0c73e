/*
 * A real listener on a free port, and clients in another thread.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "check.h"
#include "http/exchange.h"
#include "http/server.h"
#include "http/session.h"
#include "net/address.h"
#include "net/listen_socket.h"
#include "net/listener.h"
#include "net/worker.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

enum { HOLD_MS = 50, DRAIN_MS = 300, PIECE_BYTES = 100000 };

struct fixture {
	uv_loop_t loop;
	struct http_server http;
	struct listen_socket socket;
	struct listener listener;
	struct worker worker;
	uv_timer_t timer; /* answers what waits */
	struct exchange *waiting;
	struct exchange *held; /* answered when all is over */
	struct job job;
	int job_runs;
	uint16_t port;
	void (*client)(struct fixture *fixture);
};

/* Never ends. */
struct endless {
	struct http_body body;
	char bytes[PIECE_BYTES];
	struct slice part;
};

static enum http_body_state stream_next(struct http_body *body, struct http_piece *ret_piece)
{
	struct endless *stream = LIST_ENTRY(body, struct endless, body);
	stream->part = slice_make(stream->bytes, PIECE_BYTES);
	*ret_piece = (struct http_piece){ .parts = &stream->part, .count = 1 };
	return HTTP_BODY_PIECE;
}

static void stream_close(struct http_body *body)
{
	free(LIST_ENTRY(body, struct endless, body));
}

static void on_timer(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;
	struct exchange *exchange = fixture->waiting;
	fixture->waiting = NULL;
	exchange_answer(exchange);
}

static void on_worker_closed(struct worker *worker)
{
	struct fixture *fixture = LIST_ENTRY(worker, struct fixture, worker);
	uv_close((uv_handle_t *)&fixture->timer, NULL);
}

static void on_listener_closed(struct listener *listener)
{
	struct fixture *fixture = LIST_ENTRY(listener, struct fixture, listener);
	worker_close(&fixture->worker, on_worker_closed);
}

static void on_work(struct job *job)
{
	struct fixture *fixture = LIST_ENTRY(job, struct fixture, job);
	fixture->job_runs++;
}

static void on_deferred(struct job *job)
{
	struct fixture *fixture = LIST_ENTRY(job, struct fixture, job);
	if (++fixture->job_runs < 5) {
		executor_defer(&fixture->worker.executor, job);
		return;
	}
	fixture->waiting->response.status = 202;
	exchange_answer(fixture->waiting);
	fixture->waiting = NULL;
}

static void on_worked(struct job *job)
{
	struct fixture *fixture = LIST_ENTRY(job, struct fixture, job);
	job->done = on_deferred;
	executor_defer(&fixture->worker.executor, job);
}

static uint64_t owner_of(const char *host, int port)
{
	struct sockaddr_storage socket;
	if (strchr(host, ':') != NULL) {
		uv_ip6_addr(host, port, (struct sockaddr_in6 *)(void *)&socket);
	} else {
		uv_ip4_addr(host, port, (struct sockaddr_in *)(void *)&socket);
	}
	return address_owner((const struct sockaddr *)&socket);
}

static void on_request(void *data, struct exchange *exchange)
{
	struct fixture *fixture = data;
	struct slice path = exchange->request.path;
	CHECK(exchange->session->peer == owner_of("127.0.0.1", 1));
	exchange->response.status = 200;
	exchange->response.body = exchange->request.query;
	if (slice_equal(path, SLICE("/wait"))) {
		fixture->waiting = exchange;
		uv_timer_start(&fixture->timer, on_timer, HOLD_MS, 0);
		return;
	}
	if (slice_equal(path, SLICE("/hold"))) {
		fixture->held = exchange;
		return;
	}
	if (slice_equal(path, SLICE("/job"))) {
		fixture->waiting = exchange;
		fixture->job = (struct job){ .work = on_work, .done = on_worked };
		executor_submit(&fixture->worker.executor, &fixture->job);
		return;
	}
	if (slice_equal(path, SLICE("/stream"))) {
		struct endless *stream = memory_zalloc(1, sizeof(*stream));
		stream->body = (struct http_body){ .next = stream_next, .close = stream_close };
		exchange->response.stream = &stream->body;
	}
	if (slice_equal(path, SLICE("/quit"))) {
		listen_socket_close(&fixture->socket);
		listener_close(&fixture->listener, DRAIN_MS, on_listener_closed);
	}
	exchange_answer(exchange);
}

static void *run_client(void *data)
{
	struct fixture *fixture = data;
	fixture->client(fixture);
	return NULL;
}

/* Serves until the client asks for /quit. */
static void serve(struct fixture *fixture, size_t connections, void (*client)(struct fixture *))
{
	struct http_limits limits = {
		.header_bytes = 1000,
		.body_bytes = 1000,
		.connections = connections,
	};
	struct net_timeouts timeouts = {
		.head_ms = 150,
		.body_ms = 200,
		.idle_ms = 250,
		.write_ms = 200,
	};
	struct socket_address resolved;
	struct address address;
	const char *what;
	CHECK(address_parse(SLICE("127.0.0.1:0"), &address, &what));
	*fixture = (struct fixture){ .client = client };
	uv_loop_init(&fixture->loop);
	CHECK_INT(address_resolve(&fixture->loop, &address, &resolved), 0);
	uv_timer_init(&fixture->loop, &fixture->timer);
	fixture->timer.data = fixture;
	worker_open(&fixture->worker, &fixture->loop);
	http_server_init(&fixture->http, &limits);
	fixture->http.on_request = on_request;
	fixture->http.data = fixture;
	CHECK(listen_socket_open(&fixture->socket, &resolved, &what));
	CHECK_INT(listener_open(&fixture->listener, &fixture->loop, &fixture->socket, &fixture->http,
					  &timeouts),
			0);
	fixture->port = (uint16_t)address_port(&fixture->socket.address);

	pthread_t thread;
	pthread_create(&thread, NULL, run_client, fixture);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	pthread_join(thread, NULL);

	CHECK_INT(uv_loop_close(&fixture->loop), 0);
	if (fixture->held != NULL) {
		CHECK(fixture->held->session == NULL);
		exchange_answer(fixture->held);
	}
	CHECK_INT(fixture->http.counters.connections_open, 0);
	http_server_finish(&fixture->http);
}

/* The client's side: blocking sockets. */

static int dial(const struct fixture *fixture)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(fixture->port) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct timeval patience = { .tv_sec = 5 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	CHECK_INT(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until there is `text` at the end; NULL: until the connection ends. */
static void expect(int fd, const char *start, const char *end)
{
	char in[4096];
	size_t len = 0;
	for (;;) {
		struct slice got = slice_make(in, len);
		if (end != NULL && len != 0 && slice_ends_with(got, slice_of_string(end))) {
			break;
		}
		ssize_t count = recv(fd, in + len, sizeof(in) - len, 0);
		CHECK(count >= 0);
		if (count <= 0) {
			CHECK(end == NULL);
			break;
		}
		len += (size_t)count;
	}
	CHECK_STRING(slice_first(slice_make(in, len), strlen(start)), start);
}

static void ask(int fd, const char *request, const char *start, const char *end)
{
	say(fd, request);
	expect(fd, start, end);
}

static void quit(const struct fixture *fixture)
{
	int fd = dial(fixture);
	ask(fd, GET("/quit"), "HTTP/1.1 200 OK\r\n", NULL);
	close(fd);
}

static uint64_t now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

static void client_asks(struct fixture *fixture)
{
	int fd = dial(fixture);
	ask(fd, GET("/a?x"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nx");
	ask(fd, GET("/wait?y"), "HTTP/1.1 200 OK\r\n", "\r\n\r\ny");
	ask(fd, GET("/wait?1") GET("/b?2") GET("/c?3"), "HTTP/1.1 200 OK\r\n", "\r\n\r\n3");
	ask(fd, GET("/job?j"), "HTTP/1.1 202 Accepted\r\n", "\r\n\r\nj");
	ask(fd, "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
			"HTTP/1.1 100 Continue\r\n\r\n", "\r\n\r\n");
	ask(fd, "x", "HTTP/1.1 200 OK\r\n", "\r\n\r\n");
	close(fd);
	fd = dial(fixture);
	say(fd, GET("/wait?z"));
	shutdown(fd, SHUT_WR);
	expect(fd, "HTTP/1.1 200 OK\r\n", NULL);
	close(fd);
	quit(fixture);
}

static void test_requests(void)
{
	struct fixture fixture;
	serve(&fixture, 10, client_asks);
	CHECK_INT(fixture.job_runs, 5);
	CHECK_INT(fixture.http.counters.requests, 9);
	CHECK_INT(fixture.http.counters.connections_total, 3);
}

/* A byte now and then keeps nobody waiting longer than the limit. */
static void drip(int fd, uint64_t from_ms, uint64_t limit_ms)
{
	char byte;
	while (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) {
		CHECK(now_ms() < from_ms + limit_ms + 2000);
		send(fd, "a", 1, MSG_NOSIGNAL);
		usleep(20000);
	}
	CHECK(now_ms() >= from_ms + limit_ms);
}

static void client_is_late(struct fixture *fixture)
{
	int fd = dial(fixture);
	say(fd, "GET /");
	drip(fd, now_ms(), 140);
	expect(fd, "HTTP/1.1 408 Request Timeout\r\n", NULL);
	close(fd);

	fd = dial(fixture);
	expect(fd, "HTTP/1.1 408 Request Timeout\r\n", NULL);
	close(fd);

	fd = dial(fixture);
	say(fd, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
	drip(fd, now_ms(), 190);
	expect(fd, "HTTP/1.1 408 Request Timeout\r\n", NULL);
	close(fd);

	fd = dial(fixture);
	ask(fd, GET("/a?x"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nx");
	expect(fd, "", NULL);
	close(fd);

	fd = dial(fixture);
	say(fd, GET("/stream"));
	uint64_t start_ms = now_ms();
	while (fixture->http.counters.slow_readers_cut == 0 && now_ms() < start_ms + 4000) {
		usleep(20000);
	}
	close(fd);
	quit(fixture);
}

static void test_timeouts(void)
{
	struct fixture fixture;
	serve(&fixture, 10, client_is_late);
	CHECK_INT(fixture.http.counters.head_timeouts, 2);
	CHECK_INT(fixture.http.counters.body_timeouts, 1);
	CHECK_INT(fixture.http.counters.idle_closed, 1);
	CHECK_INT(fixture.http.counters.slow_readers_cut, 1);
}

static void client_comes_often(struct fixture *fixture)
{
	int fds[2] = { dial(fixture), dial(fixture) };
	ask(fds[0], GET("/a?x"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nx");
	ask(fds[1], GET("/a?x"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nx");
	int refused = dial(fixture);
	say(refused, GET("/a?x"));
	expect(refused, "HTTP/1.1 503 Service Unavailable\r\n", NULL);
	close(refused);
	ask(fds[0], GET("/quit"), "HTTP/1.1 200 OK\r\n", NULL);
	close(fds[0]);
	expect(fds[1], "", NULL);
	close(fds[1]);
}

static void test_connection_limit(void)
{
	struct fixture fixture;
	serve(&fixture, 2, client_comes_often);
	CHECK_INT(fixture.http.counters.connections_refused, 1);
	CHECK_INT(fixture.http.counters.connections_max, 2);
}

/* Who sends too much gets to read why, even when it reads only afterwards. */
static void client_sends_too_much(struct fixture *fixture)
{
	char *chunk = memory_zalloc(1, 1 << 20);
	int fd = dial(fixture);
	say(fd, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 50000000\r\n\r\n");
	for (int i = 0; i < 20; i++) {
		CHECK_INT(send(fd, chunk, 1 << 20, MSG_NOSIGNAL), 1 << 20);
	}
	expect(fd, "HTTP/1.1 413 Request Entity Too Large\r\n", NULL);
	close(fd);
	free(chunk);
	quit(fixture);
}

static void test_lingering(void)
{
	struct fixture fixture;
	serve(&fixture, 10, client_sends_too_much);
	CHECK_INT(fixture.http.counters.bodies_too_large, 1);
}

static void client_waits_at_shutdown(struct fixture *fixture)
{
	int idle = dial(fixture);
	ask(idle, GET("/a?x"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nx");
	int waiting = dial(fixture);
	int held = dial(fixture);
	int streaming = dial(fixture);
	say(held, GET("/hold"));
	say(streaming, GET("/stream"));
	usleep(10000);
	say(waiting, GET("/wait?y"));
	usleep(10000);
	quit(fixture);
	expect(idle, "", NULL);
	char in[200];
	ssize_t count = recv(waiting, in, sizeof(in), 0);
	CHECK(slice_ends_with(slice_make(in, (size_t)count), SLICE("Connection: close\r\n\r\ny")));
	expect(held, "", NULL);
	close(idle);
	close(waiting);
	close(held);
	close(streaming);
}

static void test_shutdown(void)
{
	struct fixture fixture;
	serve(&fixture, 10, client_waits_at_shutdown);
	CHECK(fixture.held != NULL);
}

static void test_addresses(void)
{
	static const struct {
		const char *text;
		const char *host; /* NULL: refused */
		int port;
		enum address_kind kind;
	} tests[] = {
		{ ":9091", "", 9091, ADDRESS_TCP }, { "127.0.0.1:0", "127.0.0.1", 0, ADDRESS_TCP },
		{ "[::1]:9091", "::1", 9091, ADDRESS_TCP }, { "[::]:65535", "::", 65535, ADDRESS_TCP },
		{ "localhost:80", "localhost", 80, ADDRESS_TCP }, { "", NULL, 0, ADDRESS_TCP },
		{ "9091", NULL, 0, ADDRESS_TCP }, { ":", NULL, 0, ADDRESS_TCP },
		{ "h:", NULL, 0, ADDRESS_TCP }, { "h:65536", NULL, 0, ADDRESS_TCP },
		{ "h:-1", NULL, 0, ADDRESS_TCP }, { "h:http", NULL, 0, ADDRESS_TCP },
		{ "::1:9091", NULL, 0, ADDRESS_TCP }, { "h:99999999999999999999", NULL, 0, ADDRESS_TCP },
		{ "unix:/run/w.sock", "/run/w.sock", 0, ADDRESS_UNIX },
		{ "unix:///run/w.sock", "/run/w.sock", 0, ADDRESS_UNIX },
		{ "unix:/run/a:b", "/run/a:b", 0, ADDRESS_UNIX },
		{ "unix:@weir", "@weir", 0, ADDRESS_UNIX }, { "unix:", NULL, 0, ADDRESS_UNIX },
		{ "unix:/", NULL, 0, ADDRESS_UNIX }, { "unix://", NULL, 0, ADDRESS_UNIX },
		{ "unix:/run/", NULL, 0, ADDRESS_UNIX }, { "unix:@", NULL, 0, ADDRESS_UNIX },
		{ "unix:9091", NULL, 0, ADDRESS_UNIX }, { "unix:w.sock", NULL, 0, ADDRESS_UNIX },
		{ "vsock://:9100", "", 9100, ADDRESS_VSOCK },
		{ "vsock://3:4294967294", "", -2, ADDRESS_VSOCK }, { "vsock://:0", "", 0, ADDRESS_VSOCK },
		{ "vsock://:4294967295", NULL, 0, ADDRESS_VSOCK },
		{ "vsock://4294967295:1", NULL, 0, ADDRESS_VSOCK },
		{ "vsock://host:1", NULL, 0, ADDRESS_VSOCK }, { "vsock://3", NULL, 0, ADDRESS_VSOCK },
		{ "vsock://", NULL, 0, ADDRESS_VSOCK }, { "vsock://:", NULL, 0, ADDRESS_VSOCK },
		{ "vsock:9100", "vsock", 9100, ADDRESS_TCP }, /* a host of that name */
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct address address = { 0 };
		const char *what = NULL;
		bool good = address_parse(slice_of_string(tests[i].text), &address, &what);
		CHECK_INT(good, tests[i].host != NULL);
		CHECK_INT(what == NULL, good);
		if (good) {
			CHECK_STRING(slice_of_string(address.host), tests[i].host);
			CHECK_INT((int)address.port, tests[i].port);
			CHECK_INT(address.kind, tests[i].kind);
		}
	}
}

/* Resolved and shown, an address is what was written. */
static void test_shown_addresses(void)
{
	static const struct {
		const char *text;
		int family;
		const char *path; /* of its file */
	} tests[] = {
		{ "127.0.0.1:80", AF_INET, NULL },
		{ "[::1]:80", AF_INET6, NULL },
		{ "unix:/run/w.sock", AF_UNIX, "/run/w.sock" },
		{ "unix:@weir", AF_UNIX, NULL },
		{ "vsock://:9100", AF_VSOCK, NULL },
		{ "vsock://3:9100", AF_VSOCK, NULL },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct address address;
		struct socket_address resolved;
		const char *what;
		uv_loop_t loop;
		uv_loop_init(&loop);
		CHECK(address_parse(slice_of_string(tests[i].text), &address, &what));
		CHECK_INT(address_resolve(&loop, &address, &resolved), 0);
		uv_loop_close(&loop);
		char text[ADDRESS_TEXT_BYTES];
		address_format(&resolved, text);
		CHECK_STRING(slice_of_string(text), tests[i].text);
		CHECK_INT(resolved.socket.ss_family, tests[i].family);
		CHECK_INT(address_port(&resolved), address.port);
		const char *path = address_path(&resolved);
		CHECK_STRING(slice_of_string(path == NULL ? "" : path),
				tests[i].path == NULL ? "" : tests[i].path);
	}
}

/* The path of a Unix socket must fit with its NUL. */
static void test_long_path(void)
{
	for (size_t len = 106; len <= 110; len++) {
		char text[128] = "unix:/";
		memset(text + strlen("unix:/"), 'a', len - 1);
		struct address address;
		const char *what = "";
		CHECK_INT(address_parse(slice_make(text, strlen("unix:") + len), &address, &what),
				len <= 107);
		CHECK_INT(strstr(what, "107 bytes") != NULL, len > 107);
	}
}

static void test_owners(void)
{
	CHECK(owner_of("0.0.0.0", 0) != 0);
	CHECK(owner_of("10.0.0.1", 1000) == owner_of("10.0.0.1", 2000));
	CHECK(owner_of("10.0.0.1", 1000) != owner_of("10.0.0.2", 1000));
	CHECK(owner_of("10.0.0.1", 1000) == owner_of("::ffff:10.0.0.1", 2000));
	CHECK(owner_of("::ffff:10.0.0.1", 1000) != owner_of("::ffff:10.0.0.2", 1000));
	CHECK(owner_of("2001:db8::1", 1000) == owner_of("2001:db8::ffff:1", 2000));
	CHECK(owner_of("2001:db8::1", 1000) != owner_of("2001:db8:0:1::1", 1000));
}

static void test_address_in_use(void)
{
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct http_server http;
	http_server_init(&http, &(struct http_limits){ 0 });
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct socket_address address = { .len = sizeof(any) };
	memcpy(&address.socket, &any, sizeof(any));
	struct listen_socket first;
	struct listen_socket second;
	struct listener listener;
	struct net_timeouts timeouts = { 1, 1, 1, 1 };
	const char *what = "";
	CHECK(listen_socket_open(&first, &address, &what));
	CHECK_INT(listener_open(&listener, &loop, &first, &http, &timeouts), 0);
	CHECK(!listen_socket_open(&second, &first.address, &what));
	CHECK_STRING(slice_of_string(what), uv_strerror(UV_EADDRINUSE));
	listen_socket_close(&second);
	listen_socket_close(&first);
	listener_close(&listener, 0, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&loop), 0);
	http_server_finish(&http);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	hash_init();
	RUN(test_addresses);
	RUN(test_owners);
	RUN(test_shown_addresses);
	RUN(test_long_path);
	RUN(test_address_in_use);
	RUN(test_requests);
	RUN(test_timeouts);
	RUN(test_connection_limit);
	RUN(test_lingering);
	RUN(test_shutdown);
	return check_done();
}
